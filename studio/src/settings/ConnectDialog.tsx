// Connects an account at a provider: the person goes there, grants, and comes back here.
import { useState } from "react";

import { api } from "../api/client";
import { FormDialog } from "../ui/FormDialog";
import { Select, TextArea } from "../ui/Input";
import { Field } from "../ui/Field";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { useCredentialKinds } from "./useCredentialKinds";

type ConnectDialogProps = {
  /** What is connected again, when it was before. */
  known?: { name: string; provider: string; scopes: string[] } | undefined;
  onClose: () => void;
};

export function ConnectDialog({ known, onClose }: ConnectDialogProps) {
  const providers = useCredentialKinds().described.filter((kind) => kind.provider);
  const [chosen, setProvider] = useState(known?.provider ?? "");
  const provider = chosen || (providers[0]?.provider ?? "");
  const [name, setName] = useState(known?.name ?? "");
  const [scopes, setScopes] = useState(known?.scopes.join("\n") ?? "");
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/connections/{id}/start", {
      params: { path: { id: provider } },
      body: { name, scopes: scopes.split(/\s+/).filter(Boolean), return_to: "/settings/credentials" },
    });
    if (data) location.assign(data.authorize_url);
  }, ["name", "scopes"]);
  return (
    <FormDialog
      title={known ? `Connect “${known.name}” again` : "Connect an account"}
      description="You go to the provider, grant access, and come back."
      action="Go there"
      form={form}
      onClose={onClose}
    >
      <Field label="Provider" required>
        {(ids) => (
          <Select
            {...ids}
            value={provider}
            disabled={known !== undefined}
            onChange={(event) => setProvider(event.target.value)}
          >
            {providers.map((kind) => (
              <option key={kind.kind} value={kind.provider ?? ""}>
                {kind.title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <TextField
        label="Name"
        required
        value={name}
        onChange={setName}
        disabled={known !== undefined}
        hint="What workflows call it."
        error={form.errorAt("name")}
      />
      <Field label="What is asked for" hint="One scope a line." error={form.errorAt("scopes")}>
        {(ids) => <TextArea {...ids} value={scopes} onChange={(event) => setScopes(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
