// What a credential's form asks for and what it sends, by the description of its kind. Must not know any kind by name.
import type { Schema } from "../api/client";
import { rowsOf, valueOf, type FieldRow } from "../ui/fields";

export type CredentialKind = Schema<"CredentialKindView">;
type Credential = Pick<Schema<"CredentialView">, "kind" | "public" | "secret_fields">;

/** What was typed: texts by the names of described fields, and rows for kinds that nobody describes. */
export type Typed = { texts: Record<string, string>; shown: FieldRow[]; secret: FieldRow[] };

/** The description to draw a form from; none when the credential holds what it does not know. */
export function describing(
  kinds: readonly CredentialKind[],
  kind: string,
  credential: Credential | null,
): CredentialKind | null {
  const found = kinds.find((one) => one.kind === kind && !one.provider);
  if (!found) return null;
  const known = new Set(found.fields.map((field) => field.name));
  const held = [...Object.keys(credential?.public ?? {}), ...(credential?.secret_fields ?? [])];
  return held.every((name) => known.has(name)) ? found : null;
}

/** What the form begins with. */
export const begin = (credential: Credential | null): Typed => ({
  texts: Object.fromEntries(rowsOf(credential?.public ?? {}).map((row) => [row.name, row.value])),
  shown: rowsOf(credential?.public ?? {}),
  secret: (credential?.secret_fields ?? [""]).map((name) => ({ name, value: "" })),
});

/** What is stored. Secrets are replaced all together: when none is typed, those that are stored stay. */
export function stored(described: CredentialKind | null, typed: Typed) {
  const chosen = (isSecret: boolean) =>
    Object.fromEntries(
      (described?.fields ?? [])
        .filter((field) => field.secret === isSecret)
        .map((field) => [field.name, typed.texts[field.name] ?? ""] as const)
        .filter(([, text]) => text !== ""),
    );
  const secret = described ? chosen(true) : valueOf(typed.secret);
  const isTyped = Object.values(secret).some((text) => text !== "");
  return { public: described ? chosen(false) : valueOf(typed.shown), secret, isTyped };
}
