// Sets a limit: whom it counts, what it counts, how often.
import { useState } from "react";

import type { Schema } from "../api/client";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Select } from "../ui/Input";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

type Level = Schema<"LimitLevel">;

const LEVELS: { level: Level; text: string }[] = [
  { level: "key", text: "API keys" },
  { level: "person", text: "people" },
  { level: "workspace", text: "the workspace" },
  { level: "plan", text: "workspaces with a plan" },
  { level: "global", text: "every caller" },
];

const numberOf = (text: string) => (text.trim() ? Number(text) : null);

type LimitDialogProps = { onSet: (limit: Schema<"LimitBody">) => Promise<unknown>; onClose: () => void };

export function LimitDialog({ onSet, onClose }: LimitDialogProps) {
  const [level, setLevel] = useState<Level>("key");
  const [values, setValues] = useState({ route: "*", subject: "", window: "100", seconds: "60", daily: "" });
  const form = useSubmit(async () => {
    await onSet({
      level,
      route: values.route,
      subject: values.subject || null,
      window_limit: numberOf(values.window),
      window_seconds: values.window.trim() ? numberOf(values.seconds) : null,
      daily_limit: numberOf(values.daily),
    });
    onClose();
  }, ["level", "route", "subject", "window_limit", "window_seconds", "daily_limit"]);
  const at = (name: keyof typeof values, path: string = name) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(path),
  });
  return (
    <FormDialog
      title="Set a limit"
      description="A limit with the same level, route and subject is replaced."
      action="Set it"
      form={form}
      onClose={onClose}
    >
      <Field label="Whom it counts" error={form.errorAt("level")}>
        {(ids) => (
          <Select {...ids} value={level} onChange={(event) => setLevel(event.target.value as Level)}>
            {LEVELS.map((one) => (
              <option key={one.level} value={one.level}>
                {one.text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <TextField label="Only this one" hint="An id; each by itself when empty." {...at("subject")} />
      <TextField
        label="What it counts"
        hint="*, read, write, a resource such as workflow, or a route such as POST /api/workflows/{id}/run"
        required
        {...at("route")}
      />
      <div className="grid grid-cols-2 gap-3">
        <TextField label="So many" type="number" min={1} {...at("window", "window_limit")} />
        <TextField
          label="in so many seconds"
          type="number"
          min={1}
          max={86400}
          {...at("seconds", "window_seconds")}
        />
      </div>
      <TextField label="So many a day" type="number" min={1} {...at("daily", "daily_limit")} />
    </FormDialog>
  );
}
