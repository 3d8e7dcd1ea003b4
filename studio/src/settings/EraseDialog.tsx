// Asks before a customer is erased: what goes, what stays, and to type whom.
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { FormDialog } from "../ui/FormDialog";
import { Note } from "../ui/Note";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";
import { contactName, contactProof } from "./contacts";

type EraseDialogProps = { contact: Schema<"ContactView">; onClose: () => void };

export function EraseDialog({ contact, onClose }: EraseDialogProps) {
  const [typed, setTyped] = useState("");
  const proof = contactProof(contact);
  const reread = useReread();
  const form = useSubmit(async () => {
    if (typed.trim() !== proof) throw new Error(`Type ${proof} to erase this customer.`);
    await api.POST("/api/contacts/{id}/erase", { params: { path: { id: contact.id } } });
    toast.done("The erasure has begun.");
    await reread("/api/contacts", "/api/erasures");
    onClose();
  });
  return (
    <FormDialog
      title={`Erase ${contactName(contact)}?`}
      action="Erase for good"
      isDangerous
      form={form}
      onClose={onClose}
    >
      <Note tone="bad">
        This cannot be undone. What goes on with this customer is cancelled; then the contact goes, with all
        messages, and the runs and stored bodies that tell of them.
      </Note>
      <p className="text-sm text-muted">
        The audit trail stays, without what it said of them. Whoever writes from this number later is somebody
        new, and what they refused stays refused.
      </p>
      <TextField label={`Type ${proof}`} value={typed} onChange={setTyped} autoComplete="off" required />
    </FormDialog>
  );
}
