// Form checks: what rjsf asks for, and where it is told what is wrong.
import { describe, expect, it } from "vitest";

import { validator } from "./validator";

const schema = {
  type: "object" as const,
  properties: {
    name: { type: "string" as const, minLength: 2 },
    list: {
      type: "array" as const,
      items: { type: "object" as const, properties: { n: { type: "number" as const } } },
    },
  },
  required: ["name"],
};

describe("validator", () => {
  it("tells whether data fit, also by reference to the whole", () => {
    expect(validator.isValid(schema, { name: "Asha" }, schema)).toBe(true);
    expect(validator.isValid(schema, {}, schema)).toBe(false);
    const root = { definitions: { short: { maxLength: 2 } } };
    expect(validator.isValid({ $ref: "#/definitions/short" }, "abc", root)).toBe(false);
    expect(validator.isValid({ $ref: "#/nowhere" }, "abc", {})).toBe(false);
  });
  it("names the field", () => {
    const { errors, errorSchema } = validator.validateFormData({ list: [{ n: "x" }] }, schema);
    expect(errors.map((error) => error.property).sort()).toEqual([".list.0.n", ".name"]);
    expect(errorSchema).toHaveProperty("name.__errors");
  });
});
