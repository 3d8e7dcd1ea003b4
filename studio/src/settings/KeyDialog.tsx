// Makes a key: what it may, from where, until when. Nobody gives more than they have.
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { useSession } from "../session/session";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Checkbox, Select, TextArea } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

const DAY = 86_400_000;
const LIVES = [
  { text: "for ever", days: 0 },
  { text: "for a month", days: 30 },
  { text: "for three months", days: 90 },
  { text: "for a year", days: 365 },
];

type KeyDialogProps = { onClose: () => void; onMade: (key: Schema<"NewKeyView">) => void };

export function KeyDialog({ onClose, onMade }: KeyDialogProps) {
  const { permissions } = useSession();
  const reread = useReread();
  const [name, setName] = useState("");
  const [isBound, setBound] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [addresses, setAddresses] = useState("");
  const [days, setDays] = useState(0);
  const form = useSubmit(async () => {
    if (isBound && chosen.size === 0) throw new Error("Choose what the key may do.");
    const { data } = await api.POST("/api/keys", {
      body: {
        name,
        permissions: isBound ? [...chosen] : null,
        addresses: addresses.split(/\s+/).filter(Boolean),
        expires_at: days > 0 ? Date.now() + days * DAY : null,
      },
    });
    await reread("/api/keys");
    if (data) onMade(data);
  }, ["name", "permissions", "addresses", "expires_at"]);
  return (
    <FormDialog title="New key" action="Make the key" form={form} onClose={onClose} width="normal">
      <TextField
        label="Name"
        hint="For people: which program it is for."
        required
        value={name}
        onChange={setName}
        error={form.errorAt("name")}
      />
      <Field label="It is good" error={form.errorAt("expires_at")}>
        {(ids) => (
          <Select {...ids} value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {LIVES.map((life) => (
              <option key={life.days} value={life.days}>
                {life.text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field
        label="From where"
        hint="Addresses or networks, one a line; from everywhere when empty."
        error={form.errorAt("addresses")}
      >
        {(ids) => (
          <TextArea
            {...ids}
            rows={2}
            value={addresses}
            onChange={(event) => setAddresses(event.target.value)}
          />
        )}
      </Field>
      <Checkbox
        label="Only for some things"
        hint="Otherwise it may all that you may."
        checked={isBound}
        onChange={setBound}
      />
      {isBound && (
        <fieldset className="grid max-h-56 gap-1 overflow-y-auto rounded-md border border-line p-2 sm:grid-cols-2">
          <legend className="sr-only">What it may do</legend>
          {[...permissions].sort().map((one) => (
            <Checkbox
              key={one}
              label={one}
              checked={chosen.has(one)}
              onChange={(isOn) => {
                const next = new Set(chosen);
                if (isOn) next.add(one);
                else next.delete(one);
                setChosen(next);
              }}
            />
          ))}
        </fieldset>
      )}
    </FormDialog>
  );
}
