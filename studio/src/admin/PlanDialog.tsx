// Makes a plan, or changes one: what it costs, what it limits.
import { useState } from "react";

import type { Schema } from "../api/client";
import { Field } from "../ui/Field";
import { FieldRows } from "../ui/FieldRows";
import { FormDialog } from "../ui/FormDialog";
import { Select } from "../ui/Input";
import { Note } from "../ui/Note";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { formOf, requestOf, type PlanForm } from "./planForm";

type PlanDialogProps = {
  plan: Schema<"PlanView"> | null;
  onSave: (plan: Schema<"PlanRequest">) => Promise<unknown>;
  onClose: () => void;
};

const FIELDS = ["name", "price", "currency", "period", "trial_days", "limits", "overage", "features"];

export function PlanDialog({ plan, onSave, onClose }: PlanDialogProps) {
  const [values, setValues] = useState(() => formOf(plan));
  const form = useSubmit(async () => {
    await onSave(requestOf(values));
    onClose();
  }, FIELDS);
  const put = (change: Partial<PlanForm>) => setValues({ ...values, ...change });
  return (
    <FormDialog
      title={plan ? `Change “${plan.name}”` : "New plan"}
      action={plan ? "Save" : "Make it"}
      form={form}
      onClose={onClose}
      width="normal"
    >
      {plan && <Note>Who subscribes to it is held to the new limits from then on.</Note>}
      <TextField
        label="Name"
        required
        maxLength={80}
        value={values.name}
        onChange={(name) => put({ name })}
        error={form.errorAt("name")}
      />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <TextField
          label="Price"
          type="number"
          min={0}
          step="any"
          required
          value={values.price}
          onChange={(price) => put({ price })}
          error={form.errorAt("price")}
        />
        <TextField
          label="Currency"
          required
          maxLength={3}
          value={values.currency}
          onChange={(currency) => put({ currency })}
          error={form.errorAt("currency")}
        />
        <Field label="For a" error={form.errorAt("period")}>
          {(ids) => (
            <Select
              {...ids}
              value={values.period}
              onChange={(event) => put({ period: event.target.value as PlanForm["period"] })}
            >
              <option value="month">month</option>
              <option value="year">year</option>
            </Select>
          )}
        </Field>
        <TextField
          label="Days to try it"
          type="number"
          min={0}
          max={366}
          required
          value={values.trialDays}
          onChange={(trialDays) => put({ trialDays })}
          error={form.errorAt("trial_days")}
        />
      </div>
      <FieldRows
        legend="Limits"
        hint="Pieces by name; -1 is unlimited, and so is what is left out."
        values="whole"
        rows={values.limits}
        onChange={(limits) => put({ limits })}
        error={form.errorAt("limits")}
      />
      <FieldRows
        legend="Price of a piece beyond a limit"
        hint="By the name of the limit, which then stops nobody."
        values="amount"
        rows={values.overage}
        onChange={(overage) => put({ overage })}
        error={form.errorAt("overage")}
      />
      <TextField
        label="What else it opens"
        hint="Words with spaces between them, such as api_access."
        value={values.features}
        onChange={(features) => put({ features })}
        error={form.errorAt("features")}
      />
    </FormDialog>
  );
}
