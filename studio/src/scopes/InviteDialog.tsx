// Invites somebody as something, and shows the token once. Must not know to what.
import { useState } from "react";

import type { Schema } from "../api/client";
import { Button } from "../ui/Button";
import { Secret } from "../ui/Copy";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Select } from "../ui/Input";
import { Note } from "../ui/Note";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { roleName, type RoleChoice } from "./roles";

type InviteDialogProps = {
  to: string;
  roles: RoleChoice[];
  onInvite: (wish: Schema<"InvitationRequest">) => Promise<Schema<"NewInvitationView"> | undefined>;
  onClose: () => void;
};

export function InviteDialog({ to, roles, onInvite, onClose }: InviteDialogProps) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState(roles.at(-1)?.role ?? "");
  const [made, setMade] = useState<Schema<"NewInvitationView"> | null>(null);
  const form = useSubmit(async () => setMade((await onInvite({ email, role })) ?? null), ["email", "role"]);
  if (made) {
    return (
      <Dialog
        isOpen
        onClose={onClose}
        title="Invited"
        width="small"
        actions={
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        }
      >
        <div className="flex flex-col gap-3 text-sm">
          <p className="wrap-anywhere">
            {made.email} may come in as {roleName(made.role)} with this link. It is good once, for a week, and
            is not shown again.
          </p>
          <Secret label="Link of the invitation" text={`${location.origin}/invitation?token=${made.token}`} />
          <Note>Where mail is set up, a letter is on its way, too.</Note>
        </div>
      </Dialog>
    );
  }
  return (
    <FormDialog title={`Invite to ${to}`} action="Invite" form={form} onClose={onClose}>
      <TextField
        label="E-mail"
        type="email"
        required
        value={email}
        onChange={setEmail}
        error={form.errorAt("email")}
        hint="Only a person with this address can accept."
      />
      <Field label="As" error={form.errorAt("role")}>
        {(ids) => (
          <Select {...ids} value={role} onChange={(event) => setRole(event.target.value)}>
            {roles.map((one) => (
              <option key={one.role} value={one.role}>
                {roleName(one.role)}: {one.may}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  );
}
