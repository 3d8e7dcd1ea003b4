// A list of named values to fill in. Secret ones are not shown while they are typed. Must not know what they are for.
import { Plus, X } from "lucide-react";

import { Button, IconButton } from "./Button";
import { Input } from "./Input";
import type { FieldRow } from "./fields";

type FieldRowsProps = {
  legend: string;
  hint: string;
  error?: string | undefined;
  rows: FieldRow[];
  onChange: (rows: FieldRow[]) => void;
  /** What is typed beside a name; text when missing. */
  values?: "text" | "secret" | "whole" | "amount";
};

const INPUTS = {
  text: { type: "text" },
  secret: { type: "password" },
  whole: { type: "number", step: 1 },
  amount: { type: "number", step: "any", min: 0 },
} as const;

export function FieldRows({ legend, hint, error, rows, onChange, values = "text" }: FieldRowsProps) {
  const put = (index: number, change: Partial<FieldRow>) =>
    onChange(rows.map((row, at) => (at === index ? { ...row, ...change } : row)));
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1 text-xs font-medium">{legend}</legend>
      {rows.map((row, index) => (
        <div key={index} className="flex gap-1.5">
          <Input
            aria-label={`${legend}: name of field ${index + 1}`}
            placeholder="name"
            className="w-2/5 font-mono"
            autoComplete="off"
            value={row.name}
            onChange={(event) => put(index, { name: event.target.value })}
          />
          <Input
            aria-label={`${legend}: value of field ${index + 1}`}
            placeholder="value"
            {...INPUTS[values]}
            // A name without a number would say something else than was meant.
            required={values !== "text" && values !== "secret" && row.name.trim() !== ""}
            autoComplete="off"
            value={row.value}
            onChange={(event) => put(index, { value: event.target.value })}
          />
          <IconButton
            label={`${legend}: take field ${index + 1} away`}
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          >
            <X size={14} aria-hidden />
          </IconButton>
        </div>
      ))}
      <Button
        size="small"
        look="quiet"
        className="self-start"
        icon={<Plus size={12} aria-hidden />}
        onClick={() => onChange([...rows, { name: "", value: "" }])}
      >
        Add a field
      </Button>
      <p className="text-xs text-muted">{hint}</p>
      {error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  );
}
