// Named values as rows of a form, and back. Must not know what they are for.
import { jsonText } from "../json";
export type FieldRow = { name: string; value: string };

export const rowsOf = (value: Record<string, unknown>): FieldRow[] =>
  Object.entries(value).map(([name, one]) => ({
    name,
    value: typeof one === "string" ? one : jsonText(one),
  }));

/** Rows without a name are left out. */
export const valueOf = (rows: FieldRow[]): Record<string, string> =>
  Object.fromEntries(rows.filter((row) => row.name.trim()).map((row) => [row.name.trim(), row.value]));
