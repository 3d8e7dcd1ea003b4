// Stores a credential, or changes one. The form is drawn from what nodes say of its kind; a kind that nobody describes is
// filled in by names and values. Secrets go one way only.
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { Field } from "../ui/Field";
import { FieldRows } from "../ui/FieldRows";
import { FormDialog } from "../ui/FormDialog";
import { Input, Select } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { begin, describing, stored } from "./credentialForm";
import { useCredentialKinds } from "./useCredentialKinds";

/** The choice of a kind that is not in the list. */
const ANOTHER = "…";

export function CredentialDialog({
  credential,
  onClose,
}: {
  credential: Schema<"CredentialView"> | null;
  onClose: () => void;
}) {
  const kinds = useCredentialKinds();
  const reread = useReread();
  const [name, setName] = useState(credential?.name ?? "");
  const [choice, setChoice] = useState(credential?.kind ?? "");
  const [ownKind, setOwnKind] = useState("");
  const [typed, setTyped] = useState(() => begin(credential));
  const kind = choice === ANOTHER ? ownKind.trim() : choice;
  const described = describing(kinds.described, kind, credential);
  const form = useSubmit(async () => {
    const { secret, isTyped, public: shown } = stored(described, typed);
    if (credential) {
      await api.PUT("/api/credentials/{id}", {
        params: { path: { id: credential.id } },
        body: { name, public: shown, ...(isTyped && { secret }) },
      });
    } else {
      await api.POST("/api/credentials", { body: { name, kind, public: shown, secret } });
    }
    await reread("/api/credentials");
    onClose();
  }, ["name", "kind"]);
  const secretHint = credential
    ? "Stored secrets are never shown. Fill in all of them to replace them; leave all empty to keep them."
    : "Sealed at once and never shown again.";
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
        hint={
          credential ? "The kind stays: nodes depend on it." : (described?.help ?? "Which nodes may use it.")
        }
      >
        {(ids) => (
          <Select
            {...ids}
            value={choice}
            disabled={credential !== null}
            onChange={(event) => setChoice(event.target.value)}
          >
            <KindOptions kinds={kinds} held={credential?.kind} />
          </Select>
        )}
      </Field>
      {choice === ANOTHER && (
        <TextField
          label="Name of the kind"
          hint="As the node's help names it."
          required
          value={ownKind}
          onChange={setOwnKind}
        />
      )}
      {described?.fields.map((field) => (
        <Field
          key={field.name}
          label={field.title}
          hint={field.secret ? `${field.help}. ${secretHint}` : field.help}
          required={field.required && !(field.secret && credential)}
        >
          {(ids) => (
            <Input
              {...ids}
              type={field.secret ? "password" : "text"}
              autoComplete="off"
              value={typed.texts[field.name] ?? ""}
              onChange={(event) =>
                setTyped({ ...typed, texts: { ...typed.texts, [field.name]: event.target.value } })
              }
            />
          )}
        </Field>
      ))}
      {kind && kinds.isReady && !described && (
        <>
          <FieldRows
            legend="Secret"
            hint={secretHint}
            rows={typed.secret}
            onChange={(secret) => setTyped({ ...typed, secret })}
            values="secret"
          />
          <FieldRows
            legend="Public"
            hint="May be displayed. Not for secrets."
            rows={typed.shown}
            onChange={(shown) => setTyped({ ...typed, shown })}
          />
        </>
      )}
    </FormDialog>
  );
}

type KindOptionsProps = { kinds: ReturnType<typeof useCredentialKinds>; held: string | undefined };

/** Kinds that are typed in; accounts that are granted at a provider have a dialog of their own. */
function KindOptions({ kinds, held }: KindOptionsProps) {
  const listed = kinds.described.filter((one) => !one.provider);
  const isListed = !held || listed.some((one) => one.kind === held) || kinds.others.includes(held);
  return (
    <>
      {!held && <option value="">Choose…</option>}
      {listed.map((one) => (
        <option key={one.kind} value={one.kind}>
          {one.title}
        </option>
      ))}
      {kinds.others.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
      {!isListed && <option value={held}>{held}</option>}
      {!held && <option value={ANOTHER}>Another kind…</option>}
    </>
  );
}
