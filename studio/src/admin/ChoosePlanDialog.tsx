// Chooses a plan for a client's workspace.
import { useState } from "react";

import type { Schema } from "../api/client";
import { limitWordsOf, priceOf } from "../scopes/plans";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Checkbox, Select } from "../ui/Input";
import { useSubmit } from "../ui/useSubmit";

type ChoosePlanDialogProps = {
  plans: Schema<"PlanView">[];
  onChoose: (change: Schema<"SubscriptionChangeRequest">) => Promise<unknown>;
  onClose: () => void;
};

export function ChoosePlanDialog({ plans, onChoose, onClose }: ChoosePlanDialogProps) {
  const [id, setId] = useState(plans[0]?.id ?? "");
  const [isTrial, setTrial] = useState(false);
  const plan = plans.find((one) => one.id === id);
  const hasTrial = plan !== undefined && plan.trial_days > 0;
  const form = useSubmit(async () => {
    await onChoose({ change: "choose", plan: id, trial: isTrial && hasTrial });
    onClose();
  }, ["plan"]);
  return (
    <FormDialog title="Choose a plan" action="Choose it" form={form} onClose={onClose}>
      <Field label="Plan" required error={form.errorAt("plan")} hint={plan && limitWordsOf(plan)}>
        {(ids) => (
          <Select {...ids} value={id} onChange={(event) => setId(event.target.value)}>
            {plans.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}: {priceOf(one)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {hasTrial && (
        <Checkbox
          label={`Try it for ${plan.trial_days} days first`}
          hint="A workspace has a trial once."
          checked={isTrial}
          onChange={setTrial}
        />
      )}
    </FormDialog>
  );
}
