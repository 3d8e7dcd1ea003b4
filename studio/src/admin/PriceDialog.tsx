// Puts a price on the list.
import { useState } from "react";

import type { Schema } from "../api/client";
import { microOf } from "../scopes/money";
import { FormDialog } from "../ui/FormDialog";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

type PriceDialogProps = {
  onAdd: (price: Schema<"PriceRequest">) => Promise<unknown>;
  onClose: () => void;
};

const FIELDS = ["kind", "category", "amount", "currency", "per", "valid_from", "valid_until"];
/** The beginning of a day as it is here. */
const dayOf = (text: string) => (text ? new Date(`${text}T00:00`).getTime() : null);

export function PriceDialog({ onAdd, onClose }: PriceDialogProps) {
  const [values, setValues] = useState({
    kind: "message",
    category: "",
    amount: "",
    currency: "INR",
    per: "1",
    from: "",
    until: "",
  });
  const form = useSubmit(async () => {
    await onAdd({
      kind: values.kind.trim(),
      category: values.category.trim(),
      amount: microOf(values.amount),
      currency: values.currency.trim().toUpperCase(),
      per: Number(values.per),
      valid_from: dayOf(values.from),
      valid_until: dayOf(values.until),
    });
    onClose();
  }, FIELDS);
  const at = (name: keyof typeof values, path: string = name) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(path),
  });
  return (
    <FormDialog
      title="New price"
      description="It is never changed: a new one begins later."
      action="Put it on the list"
      form={form}
      onClose={onClose}
    >
      <TextField label="What is counted" hint="Such as message or ai_token." required {...at("kind")} />
      <TextField
        label="Category or model"
        hint="Such as marketing; all others when empty."
        maxLength={100}
        {...at("category")}
      />
      <div className="grid grid-cols-3 gap-3">
        <TextField label="Price" type="number" min={0} step="any" required {...at("amount")} />
        <TextField label="Currency" maxLength={3} required {...at("currency")} />
        <TextField label="For so many" type="number" min={1} required {...at("per")} />
      </div>
      <div className="grid grid-cols-2 gap-3">
        <TextField label="From" type="date" hint="Now when empty." {...at("from", "valid_from")} />
        <TextField label="Until" type="date" hint="For ever when empty." {...at("until", "valid_until")} />
      </div>
    </FormDialog>
  );
}
