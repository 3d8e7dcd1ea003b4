// Makes something that has a name in addresses and one for people: a client workspace, a reseller. Must not know which.
import { useState } from "react";

import { FormDialog } from "../ui/FormDialog";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

type NewScopeDialogProps = {
  title: string;
  onMake: (wish: { name: string; display_name: string }) => Promise<unknown>;
  onClose: () => void;
};

/** A name for people as one for addresses. */
export const addressName = (name: string) =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");

export function NewScopeDialog({ title, onMake, onClose }: NewScopeDialogProps) {
  const [display, setDisplay] = useState("");
  const [name, setName] = useState<string | null>(null);
  const form = useSubmit(async () => {
    await onMake({ name: name ?? addressName(display), display_name: display });
    onClose();
  }, ["name", "display_name"]);
  return (
    <FormDialog title={title} action="Make it" form={form} onClose={onClose}>
      <TextField
        label="Name for people"
        required
        value={display}
        onChange={setDisplay}
        error={form.errorAt("display_name")}
      />
      <TextField
        label="Name in addresses"
        hint="Lower-case letters, digits and hyphens."
        required
        value={name ?? addressName(display)}
        onChange={setName}
        error={form.errorAt("name")}
      />
    </FormDialog>
  );
}
