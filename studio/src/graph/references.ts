// References to nodes inside expressions: `node("id")`. Must not know the rest of the expression language.
import { jsonText } from "../json";

const REFERENCE = /\bnode\(\s*(["'`])([a-z][a-z0-9_-]*)\1\s*\)/g;

/** The same value with nodes called by their new names; the same object when nothing changes. */
export function renameReferences<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (typeof value === "string") {
    if (!value.includes("node(")) return value;
    return value.replaceAll(REFERENCE, (whole, quote: string, id: string) => {
      const name = names.get(id);
      return name === undefined ? whole : `node(${quote}${name}${quote})`;
    }) as T;
  }
  if (Array.isArray(value)) {
    const list = value.map((element: unknown) => renameReferences(element, names));
    return (list.some((element, place) => element !== value[place]) ? list : value) as T;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(
      ([key, field]) => [key, renameReferences(field, names)] as const,
    );
    const changed = entries.some(([key, field]) => field !== (value as Record<string, unknown>)[key]);
    return (changed ? Object.fromEntries(entries) : value) as T;
  }
  return value;
}

/** Ids of the nodes that a value refers to. */
export function referencesIn(value: unknown): Set<string> {
  const found = new Set<string>();
  for (const match of (jsonText(value) ?? "").replaceAll('\\"', '"').matchAll(REFERENCE))
    if (match[2]) found.add(match[2]);
  return found;
}
