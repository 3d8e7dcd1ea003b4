// Asks for the reason of something that is done to somebody, and does it. Must not know what it is.
import { useState } from "react";

import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { TextArea } from "../ui/Input";
import { useSubmit } from "../ui/useSubmit";

type ReasonDialogProps = {
  title: string;
  action: string;
  /** Who is told the reason. */
  hint: string;
  onSubmit: (reason: string) => Promise<unknown>;
  onClose: () => void;
};

export function ReasonDialog({ title, action, hint, onSubmit, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const form = useSubmit(async () => {
    await onSubmit(reason);
    onClose();
  }, ["reason"]);
  return (
    <FormDialog title={title} action={action} form={form} onClose={onClose}>
      <Field label="Reason" hint={hint} required error={form.errorAt("reason")}>
        {(ids) => <TextArea {...ids} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
