// The JSON Schema of a node's parameters, made ready for the form: every place gets the kind of field that shows it. Any
// value may be an expression, so defaults, patterns and types are left to the server's own validation. Must not know React
// or any node type.
import { titleCase } from "./catalogue";

export type Schema = {
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema | boolean>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema | boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
};

/** How one value is shown. */
export type ValueKind =
  "text" | "number" | "flag" | "choice" | "anything" | "pairs" | "code" | "json" | "credential";
export type Choice = { value: unknown; help: string };
export type Variant = { value: unknown; title: string; help: string; form: Form };

export type ValueOptions = {
  kind: ValueKind;
  choices?: Choice[];
  /** What holds when nothing is given, for people. */
  otherwise?: unknown;
  example?: unknown;
  credentialKinds?: string[];
  isInteger?: boolean;
};

/** What rjsf is given: a schema of objects and lists, and for each place the field that draws it. */
export type Form = { schema: Record<string, unknown>; ui: Record<string, unknown> };

export type FormRules = {
  /** Pointers of parameters that are program text, where `{{ }}` means nothing. */
  raw: readonly string[];
  /** Kinds of credentials by the name of the parameter that names one. */
  credentials: ReadonlyMap<string, string[]>;
};

export function formOf(schema: Schema | boolean, rules: FormRules, pointer = ""): Form {
  const { schema: plain, isNullable } = withoutNull(schema === true || schema === false ? {} : schema);
  const head = { ...(plain.description && { description: plain.description }) };
  const value = (options: ValueOptions): Form => ({
    schema: head,
    ui: {
      "ui:field": "value",
      "ui:options": { ...options, otherwise: plain.default, example: plain.examples?.[0] },
    },
  });
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  const kinds = pointer === `/${name}` ? rules.credentials.get(name) : undefined;
  if (kinds) return value({ kind: "credential", credentialKinds: kinds });
  if (rules.raw.includes(pointer)) return value({ kind: plain.type === "string" ? "code" : "json" });
  const choices = choicesOf(plain);
  if (choices) return value({ kind: "choice", choices });
  const key = discriminatorOf(plain);
  if (key) return variants(plain, key, rules, pointer, isNullable);
  if (plain.oneOf || plain.anyOf) return value({ kind: "anything" });
  switch (plain.type) {
    case "string":
      return value({ kind: "text" });
    case "boolean":
      return value({ kind: "flag" });
    case "number":
    case "integer":
      return value({ kind: "number", isInteger: plain.type === "integer" });
    case "array":
      return list(plain, rules, pointer, head);
    case "object":
      return plain.properties ? object(plain, rules, pointer, isNullable) : value({ kind: "pairs" });
    default:
      return value({ kind: "anything" });
  }
}

function object(schema: Schema, rules: FormRules, pointer: string, isNullable: boolean): Form {
  const properties: Record<string, unknown> = {};
  const ui: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const form = formOf(field, rules, `${pointer}/${name}`);
    properties[name] = { title: titleCase(name), ...form.schema };
    ui[name] = form.ui;
  }
  if (isNullable) Object.assign(ui, { "ui:field": "section" });
  const { description, required } = schema;
  return {
    schema: {
      type: "object",
      properties,
      ...(description && { description }),
      ...(required && { required }),
    },
    ui,
  };
}

function list(schema: Schema, rules: FormRules, pointer: string, head: object): Form {
  const items = formOf(schema.items ?? true, rules, `${pointer}/*`);
  return { schema: { ...head, type: "array", items: items.schema }, ui: { items: items.ui } };
}

/** Shapes of which one is chosen, each told by the same field. */
function variants(schema: Schema, key: string, rules: FormRules, pointer: string, isNullable: boolean): Form {
  const options = (schema.oneOf ?? schema.anyOf ?? []).map((option): Variant => {
    const { [key]: told, ...properties } = option.properties ?? {};
    const value = (told as Schema).const;
    const form = object(
      {
        ...option,
        description: undefined,
        properties,
        required: option.required?.filter((name) => name !== key),
      },
      rules,
      pointer,
      false,
    );
    return { value, title: titleCase(String(value)), help: option.description ?? "", form };
  });
  return {
    schema: { ...(schema.description && { description: schema.description }) },
    ui: { "ui:field": "variants", "ui:options": { key, variants: options, isNullable } },
  };
}

/** `null` as one of the types only says that the value may be left out. */
function withoutNull(schema: Schema): { schema: Schema; isNullable: boolean } {
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    const isNullable = types.length < schema.type.length;
    return { schema: { ...schema, type: types.length === 1 ? types[0] : undefined }, isNullable };
  }
  for (const key of ["anyOf", "oneOf"] as const) {
    const others = schema[key]?.filter((option) => option.type !== "null");
    if (!others || others.length === schema[key]?.length) continue;
    const { [key]: _, ...rest } = schema;
    const [only] = others;
    const inner = others.length === 1 && only ? { ...only, ...rest } : { ...rest, [key]: others };
    return { schema: withoutNull(inner).schema, isNullable: true };
  }
  return { schema, isNullable: false };
}

function choicesOf(schema: Schema): Choice[] | null {
  if (schema.enum) return schema.enum.map((value) => ({ value, help: "" }));
  const options = schema.oneOf ?? schema.anyOf;
  if (!options?.length || !options.every((option) => "const" in option || option.enum)) return null;
  return options.flatMap((option): Choice[] =>
    option.enum
      ? option.enum.map((value) => ({ value, help: "" }))
      : [{ value: option.const, help: option.description ?? "" }],
  );
}

/** The field whose fixed value tells the shapes apart. */
function discriminatorOf(schema: Schema): string | null {
  const [first, ...others] = schema.oneOf ?? schema.anyOf ?? [];
  const isTold = (option: Schema | undefined, name: string) => {
    const field = option?.properties?.[name];
    return typeof field === "object" && field.const !== undefined;
  };
  const names = Object.keys(first?.properties ?? {}).filter((name) => isTold(first, name));
  return names.find((name) => others.every((option) => isTold(option, name))) ?? null;
}

/** What a form gives back, without what was emptied. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((entry: unknown) => (entry === undefined ? null : withoutEmpty(entry)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) =>
      field === undefined ? [] : [[key, withoutEmpty(field)]],
    ),
  );
}
