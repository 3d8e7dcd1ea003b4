// Asks why, and in whose place, before somebody acts as a member of a client's workspace.
import { useState } from "react";

import { $api, type Schema } from "../api/client";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Select, TextArea } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

export type ImpersonateWish = { workspace: string; person: string | null; reason: string };

type ImpersonateDialogProps = {
  /** The workspace, when it is clear which one. */
  client?: Schema<"WorkspaceView">;
  onBegin: (wish: ImpersonateWish) => Promise<unknown>;
  onClose: () => void;
};

export function ImpersonateDialog({ client, onBegin, onClose }: ImpersonateDialogProps) {
  const [workspace, setWorkspace] = useState(client?.id ?? "");
  const [person, setPerson] = useState("");
  const [reason, setReason] = useState("");
  const clients = $api.useQuery("get", "/api/clients", {}, { enabled: !client });
  const form = useSubmit(async () => {
    await onBegin({ workspace, person: person.trim() || null, reason });
    onClose();
  }, ["workspace", "person", "reason"]);
  return (
    <FormDialog
      title={client ? `Act in somebody's place in “${client.display_name}”?` : "Act in somebody's place"}
      description="For fifteen minutes. It stays in their trail and in yours, and so does everything you change."
      action="Go in"
      form={form}
      onClose={onClose}
    >
      {!client && (
        <Field label="Workspace" required error={form.errorAt("workspace")}>
          {(ids) => (
            <Select {...ids} value={workspace} onChange={(event) => setWorkspace(event.target.value)}>
              <option value="">Choose one</option>
              {clients.data?.items
                .filter((one) => one.status === "active")
                .map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.display_name}
                  </option>
                ))}
            </Select>
          )}
        </Field>
      )}
      <TextField
        label="In whose place"
        hint="A member's e-mail address; the owner who has been there longest when empty."
        type="email"
        value={person}
        onChange={setPerson}
        error={form.errorAt("person")}
      />
      <Field label="Reason" required error={form.errorAt("reason")}>
        {(ids) => (
          <TextArea
            {...ids}
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
