// Moves credits between who runs things here and those below: resellers and client workspaces.
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { FINEST, microOf } from "../scopes/money";
import { useMayBeyond, useSession } from "../session/session";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Checkbox, Select } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";
import { wishFor, type Wish } from "./wish";

export type NamedHolder = { kind: "reseller" | "workspace"; id: string; name: string };
type MoveCreditsDialogProps = {
  /** Who gives or gets, when it is clear who. */
  holder?: NamedHolder;
  onClose: () => void;
};

export function MoveCreditsDialog({ holder, onClose }: MoveCreditsDialogProps) {
  const { runs } = useSession();
  const holders = useHolders(!holder);
  const reread = useReread();
  const [chosen, setChosen] = useState("");
  const [isBack, setBack] = useState(false);
  const [isBonus, setBonus] = useState(false);
  const [values, setValues] = useState({ amount: "", currency: "INR", reference: "" });
  const [wish, setWish] = useState<Wish | null>(null);
  const other = holder ?? holders.find((one) => one.id === chosen);
  const form = useSubmit(async () => {
    if (!other || !runs) return;
    const there: Schema<"Holder"> = { kind: other.kind, id: other.id };
    const body = {
      from: isBack ? there : runs,
      to: isBack ? runs : there,
      amount: microOf(values.amount),
      currency: values.currency.trim().toUpperCase(),
      bonus: isBonus && !isBack,
      reference: values.reference || null,
    };
    // Kept before it is sent: if the answer is lost, asking again moves nothing twice.
    const wished = wishFor(body, wish);
    setWish(wished);
    const header = { "Idempotency-Key": wished.name };
    await api.POST("/api/credits/transfers", { params: { header }, body });
    toast.done("The credits are moved.");
    await reread("/api/credits", "/api/credits/entries", "/api/clients/{id}/wallet");
    onClose();
  }, ["from", "to", "amount", "currency", "reference"]);
  const at = (name: keyof typeof values) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(name),
  });
  return (
    <FormDialog
      title={holder ? `Move credits: ${holder.name}` : "Move credits"}
      action={isBack ? "Take them back" : "Give them"}
      form={form}
      onClose={onClose}
    >
      <Field label="Direction">
        {(ids) => (
          <Select
            {...ids}
            value={isBack ? "back" : "give"}
            onChange={(event) => setBack(event.target.value === "back")}
          >
            <option value="give">Give</option>
            <option value="back">Take back</option>
          </Select>
        )}
      </Field>
      {!holder && (
        <Field label={isBack ? "From" : "To"} required error={form.errorAt(isBack ? "from" : "to")}>
          {(ids) => (
            <Select {...ids} value={chosen} onChange={(event) => setChosen(event.target.value)}>
              <option value="">Choose one</option>
              <HolderGroup label="Resellers" holders={holders.filter((one) => one.kind === "reseller")} />
              <HolderGroup label="Clients" holders={holders.filter((one) => one.kind === "workspace")} />
            </Select>
          )}
        </Field>
      )}
      <div className="grid grid-cols-[1fr_6rem] gap-3">
        <TextField label="Amount" type="number" min={FINEST} step="any" required {...at("amount")} />
        <TextField label="Currency" maxLength={3} required {...at("currency")} />
      </div>
      {!isBack && (
        <Checkbox
          label="As a bonus"
          hint="Spent before the wallet, and never moved on."
          checked={isBonus}
          onChange={setBonus}
        />
      )}
      <TextField
        label="What it is about"
        hint="For people: an invoice. Both sides see it."
        maxLength={200}
        {...at("reference")}
      />
    </FormDialog>
  );
}

const HolderGroup = ({ label, holders }: { label: string; holders: NamedHolder[] }) =>
  holders.length === 0 ? null : (
    <optgroup label={label}>
      {holders.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </optgroup>
  );

/** Everybody below who may hold credits. */
function useHolders(isAsked: boolean): NamedHolder[] {
  const may = useMayBeyond();
  const resellers = $api.useQuery("get", "/api/resellers", {}, { enabled: isAsked && may("reseller:read") });
  const clients = $api.useQuery("get", "/api/clients", {}, { enabled: isAsked && may("client:read") });
  const named = (kind: NamedHolder["kind"], all: { id: string; display_name: string }[] | undefined) =>
    (all ?? []).map(({ id, display_name }) => ({ kind, id, name: display_name }));
  return [...named("reseller", resellers.data?.items), ...named("workspace", clients.data?.items)];
}
