// Stores a credential, or changes one. The kinds come from the nodes that take them; which fields a kind has, the nodes'
// pages say. Secrets go one way only.
import { useMemo, useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Input } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { FieldRows } from "../ui/FieldRows";
import { rowsOf, valueOf, type FieldRow } from "../ui/fields";

type Credential = Schema<"CredentialView">;

/** Every kind that a node of the catalogue takes. */
function useKinds(): string[] {
  const { data } = $api.useQuery("get", "/api/nodes", {}, { staleTime: Infinity });
  return useMemo(() => {
    const kinds = data?.items.flatMap((type) => type.credentials.flatMap((need) => need.kinds)) ?? [];
    return [...new Set(kinds)].sort();
  }, [data]);
}

export function CredentialDialog({
  credential,
  onClose,
}: {
  credential: Credential | null;
  onClose: () => void;
}) {
  const kinds = useKinds();
  const reread = useReread();
  const [name, setName] = useState(credential?.name ?? "");
  const [kind, setKind] = useState(credential?.kind ?? "");
  const [shown, setShown] = useState<FieldRow[]>(rowsOf(credential?.public ?? {}));
  const [secret, setSecret] = useState<FieldRow[]>(
    (credential?.secret_fields ?? [""]).map((one) => ({ name: one, value: "" })),
  );
  const form = useSubmit(async () => {
    if (credential) {
      // Secrets are replaced all together: none typed means that they stay.
      const isTyped = secret.some((row) => row.value);
      await api.PUT("/api/credentials/{id}", {
        params: { path: { id: credential.id } },
        body: { name, public: valueOf(shown), ...(isTyped && { secret: valueOf(secret) }) },
      });
    } else {
      await api.POST("/api/credentials", {
        body: { name, kind, public: valueOf(shown), secret: valueOf(secret) },
      });
    }
    await reread("/api/credentials");
    onClose();
  }, ["name", "kind"]);
  return (
    <FormDialog
      title={credential ? `Change “${credential.name}”` : "New credential"}
      action={credential ? "Save" : "Store it"}
      form={form}
      onClose={onClose}
      width="normal"
    >
      <TextField
        label="Name"
        hint="What workflows call it."
        required
        value={name}
        onChange={setName}
        error={form.errorAt("name")}
      />
      <Field
        label="Kind"
        required
        error={form.errorAt("kind")}
        hint={credential ? "The kind stays: nodes depend on it." : "Which nodes may use it."}
      >
        {(ids) => (
          <>
            <Input
              {...ids}
              list={`${ids.id}-kinds`}
              value={kind}
              disabled={credential !== null}
              onChange={(event) => setKind(event.target.value)}
            />
            <datalist id={`${ids.id}-kinds`}>
              {kinds.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <FieldRows
        legend="Secret"
        hint={
          credential
            ? "Stored secrets are never shown. Fill in all of them to replace them; leave all empty to keep them."
            : "Sealed at once and never shown again."
        }
        rows={secret}
        onChange={setSecret}
        values="secret"
      />
      <FieldRows legend="Public" hint="May be displayed. Not for secrets." rows={shown} onChange={setShown} />
    </FormDialog>
  );
}
