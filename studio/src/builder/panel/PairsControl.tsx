// An object of free names: rows of name and value. A value is a text with expressions, or JSON when it is more.
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../../ui/Button";
import { Input } from "../../ui/Input";
import { jsonText, parseJson } from "../../json";
import { JsonControl, type ControlProps } from "./controls";
import { ExpressionEditor } from "./ExpressionEditor";

type Row = { key: number; name: string; value: unknown };

const rowsOf = (value: unknown): Row[] =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).map(([name, entry], key) => ({ key, name, value: entry }))
    : [];

const objectOf = (rows: Row[]) =>
  Object.fromEntries(rows.filter((row) => row.name).map((row) => [row.name, row.value]));

/** `12`, `true` and `{}` are meant as such; all else is text. */
function read(text: string): unknown {
  if (!/^\s*(-?\d|true$|false$|null$|\[|\{(?!\{))/.test(text)) return text;
  try {
    return parseJson(text) as unknown;
  } catch {
    return text;
  }
}

export function PairsControl(props: ControlProps) {
  const { label, value, onChange, required, isReadOnly } = props;
  // Rows that have no name yet are not part of the value, but must stay while they are written.
  const [rows, setRows] = useState(() => rowsOf(value));
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (jsonText(objectOf(rows)) !== jsonText(value ?? {})) setRows(rowsOf(value));
  }
  const put = (next: Row[]) => {
    setRows(next);
    const object = objectOf(next);
    onChange(Object.keys(object).length || required ? object : undefined);
  };
  const change = (key: number, patch: Partial<Row>) =>
    put(rows.map((row) => (row.key === key ? { ...row, ...patch } : row)));
  return (
    <div id={props.id} role="group" aria-label={label} className="flex flex-col gap-2">
      {rows.map((row) => (
        <div key={row.key} className="flex flex-col gap-1 rounded-md border border-line p-2">
          <div className="flex gap-1">
            <Input
              aria-label={`${label}: name`}
              placeholder="Name"
              value={row.name}
              readOnly={isReadOnly}
              className="h-7 font-mono text-xs"
              onChange={(event) => change(row.key, { name: event.target.value })}
            />
            {!isReadOnly && (
              <IconButton
                size="small"
                label={`Remove ${row.name || "the row"}`}
                onClick={() => put(rows.filter((other) => other.key !== row.key))}
              >
                <Trash2 size={13} aria-hidden />
              </IconButton>
            )}
          </div>
          {typeof row.value === "object" && row.value !== null ? (
            <JsonControl
              {...props}
              id={`${props.id}-${row.key}`}
              label={row.name}
              value={row.value}
              onChange={(next) => change(row.key, { value: next ?? "" })}
            />
          ) : (
            <ExpressionEditor
              label={`${label}: value of ${row.name || "the new row"}`}
              placeholder="Value"
              value={
                row.value === undefined ? "" : typeof row.value === "string" ? row.value : jsonText(row.value)
              }
              onChange={(text) => change(row.key, { value: read(text) })}
            />
          )}
        </div>
      ))}
      {!isReadOnly && (
        <Button
          size="small"
          className="self-start"
          icon={<Plus size={13} aria-hidden />}
          onClick={() =>
            setRows([...rows, { key: Math.max(-1, ...rows.map((row) => row.key)) + 1, name: "", value: "" }])
          }
        >
          Add {label.toLowerCase()}
        </Button>
      )}
    </div>
  );
}
