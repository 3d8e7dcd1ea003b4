// From JSON Schema to fields: every place gets the kind of field that shows it.
import { describe, expect, it } from "vitest";

import { formOf, withoutEmpty, type Schema } from "./formSchema";

const rules = { raw: ["/code", "/shape"], credentials: new Map([["credential", ["http"]]]) };
const kindsOf = (schema: Schema) => {
  const { ui } = formOf(schema, rules);
  const kind = (part: unknown): unknown =>
    (part as { "ui:options"?: { kind?: unknown } })["ui:options"]?.kind;
  return Object.fromEntries(Object.keys(schema.properties ?? {}).map((name) => [name, kind(ui[name])]));
};

describe("formOf", () => {
  it("finds the field for each value", () => {
    const choice = { oneOf: [{ const: "a", description: "First" }, { const: "b" }] };
    const properties: Record<string, Schema | boolean> = {
      text: { type: ["string", "null"] },
      flag: { type: "boolean" },
      count: { type: "integer" },
      mode: choice,
      maybe: { anyOf: [choice, { type: "null" }] },
      free: { type: "object", additionalProperties: true },
      any: true,
      mixed: { anyOf: [{ type: "array" }, { type: "object" }] },
      code: { type: "string" },
      shape: {},
      credential: { type: "string" },
    };
    expect(kindsOf({ type: "object", properties })).toEqual({
      text: "text",
      flag: "flag",
      count: "number",
      mode: "choice",
      maybe: "choice",
      free: "pairs",
      any: "anything",
      mixed: "anything",
      code: "code",
      shape: "json",
      credential: "credential",
    });
  });

  it("tells shapes apart by their fixed field, and leaves that field to the choice", () => {
    const shape = (kind: string, more: Record<string, Schema>): Schema => ({
      type: "object",
      properties: { kind: { type: "string", const: kind }, ...more },
      required: ["kind", ...Object.keys(more)],
    });
    const form = formOf({ oneOf: [shape("text", { body: { type: "string" } }), shape("none", {})] }, rules);
    expect(form.ui["ui:field"]).toBe("variants");
    const options = form.ui["ui:options"] as {
      key: string;
      variants: { title: string; form: { schema: object } }[];
    };
    expect(options.key).toBe("kind");
    expect(options.variants.map((variant) => variant.title)).toEqual(["Text", "None"]);
    expect(options.variants[0]?.form.schema).toMatchObject({ required: ["body"] });
  });

  it("makes optional objects sections, and lists of anything", () => {
    const { ui, schema } = formOf(
      {
        type: "object",
        properties: {
          part: { type: ["object", "null"], properties: { a: { type: "string" } } },
          list: { type: "array", items: { type: "string" } },
        },
      },
      rules,
    );
    expect(ui.part).toMatchObject({ "ui:field": "section" });
    expect(schema.properties).toMatchObject({
      list: { type: "array", title: "List" },
      part: { title: "Part" },
    });
    expect(JSON.stringify(schema)).not.toContain("default");
  });

  it("drops what was emptied", () => {
    expect(withoutEmpty({ a: undefined, b: { c: undefined, d: null }, e: [1, { f: undefined }] })).toEqual({
      b: { d: null },
      e: [1, {}],
    });
  });
});
