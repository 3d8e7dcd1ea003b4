// What may be written at a place of an expression: variables, fields of the sample data, functions, node ids. Must not
// know the editor.
import { jsonText } from "../json";
import type { Sample } from "./sample";

export type Function = {
  group?: string;
  name: string;
  signature: string;
  help: string;
  example?: string;
  result?: unknown;
};
export type Language = { functions: Function[]; variables: { name: string; help: string }[] };

export type Option = {
  label: string;
  kind: "field" | "variable" | "function" | "node";
  detail?: string;
  info?: string;
  apply?: string;
};
export type Completion = { from: number; options: Option[] };

type Names = { id: string; label: string }[];

/** Whether a place lies inside `{{ }}`, and where the code there begins. */
export function codeStart(text: string, at: number): number | null {
  const before = text.slice(0, at);
  let open = before.lastIndexOf("{{");
  while (open > 0 && before[open - 1] === "\\") open = before.lastIndexOf("{{", open - 1);
  if (open < 0 || before.indexOf("}}", open) >= 0) return null;
  return open + 2;
}

export const hasExpression = (value: unknown): value is string =>
  typeof value === "string" && /(^|[^\\])\{\{/.test(value);

/** A chain of names up to the place: `json.body.na`, `node("a").json.`, `json["a b"].`. */
const CHAIN =
  /((?:[A-Za-z_]\w*|node\(\s*["'][^"']*["']\s*\))(?:\s*\??\.\s*[A-Za-z_]\w*|\s*\[\s*(?:\d+|"[^"]*")\s*\])*\s*\??\.\s*)?([A-Za-z_]\w*)?$/;
const NODE_ID = /\bnode\(\s*["']([a-z0-9_-]*)$/;

export function complete(
  text: string,
  at: number,
  sample: Sample,
  language: Language,
  names: Names,
  isAllCode = false,
): Completion | null {
  const start = isAllCode ? 0 : codeStart(text, at);
  if (start === null) return null;
  const code = text.slice(start, at);
  const inNode = NODE_ID.exec(code);
  if (inNode)
    return {
      from: at - (inNode[1]?.length ?? 0),
      options: names.map(({ id, label }) => ({ label: id, kind: "node", ...(label && { detail: label }) })),
    };
  if (isInText(code)) return null;
  const [, chain, word = ""] = CHAIN.exec(code) ?? [];
  const from = at - word.length;
  if (chain) return { from, options: [...fieldsOf(valueOf(chain, sample)), ...methods(language)] };
  return {
    from,
    options: [...variables(sample, language), ...names.map(nodeOption), ...functions(language)],
  };
}

/** An odd number of quotes: the place is inside a text. */
const isInText = (code: string) => (code.replaceAll(/\\./g, "").match(/"/g)?.length ?? 0) % 2 === 1;

const nodeOption = ({ id, label }: Names[number]): Option => ({
  label: `node("${id}")`,
  kind: "node",
  detail: label || "item of this node",
});

function variables(sample: Sample, language: Language): Option[] {
  const known = new Map(language.variables.map((variable) => [variable.name, variable.help]));
  for (const name of ["json", "trigger", "contact", "conversation", "run", "workflow"])
    if (!known.has(name) && (sample as Record<string, unknown>)[name] !== undefined) known.set(name, "");
  return [...known]
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([label, info]) => ({
      label,
      kind: "variable",
      ...(info && { info }),
      ...preview((sample as Record<string, unknown>)[label]),
    }));
}

const functions = (language: Language): Option[] => language.functions.map((entry) => functionOption(entry));
const methods = (language: Language): Option[] =>
  language.functions.filter((entry) => /\([^)]/.test(entry.signature)).map((entry) => functionOption(entry));

function functionOption(entry: Function): Option {
  const example = entry.example
    ? `\n${entry.example}${entry.result === undefined ? "" : ` → ${text(entry.result)}`}`
    : "";
  return { label: entry.name, kind: "function", detail: entry.signature, info: entry.help + example };
}

const text = (value: unknown) => (typeof value === "string" ? value : jsonText(value));

function fieldsOf(value: unknown): Option[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([key, field]) => ({
    label: key,
    kind: "field",
    // A key that is no name is read as `["key"]`.
    ...(!/^[A-Za-z_]\w*$/.test(key) && { apply: `["${key}"]` }),
    ...preview(field),
  }));
}

function preview(value: unknown): { detail?: string } {
  if (value === undefined) return {};
  const shown = jsonText(value) ?? "";
  return { detail: shown.length > 40 ? `${shown.slice(0, 39)}…` : shown };
}

/** What a chain such as `node("a").json.body.` stands for in the sample. */
export function valueOf(chain: string, sample: Sample): unknown {
  const node = /^node\(\s*["']([^"']*)["']\s*\)/.exec(chain);
  let value: unknown;
  let rest = chain;
  if (node) {
    const items = sample.nodes[node[1] ?? ""] ?? [];
    value = { json: items[0], items, first: items[0], last: items.at(-1) };
    rest = chain.slice(node[0].length);
  } else {
    const name = /^[A-Za-z_]\w*/.exec(chain)?.[0] ?? "";
    value = (sample as Record<string, unknown>)[name];
    rest = chain.slice(name.length);
  }
  for (const step of rest.matchAll(/\.\s*([A-Za-z_]\w*)|\[\s*(?:(\d+)|"([^"]*)")\s*\]/g)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[step[1] ?? step[2] ?? step[3] ?? ""];
  }
  return value;
}
