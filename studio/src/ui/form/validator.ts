// Checks forms against JSON Schema for rjsf, without building code from text: the content security policy allows none,
// so ajv cannot be used. Must not know what the forms are for.
import { Validator, type OutputUnit, type Schema } from "@cfworker/json-schema";
import {
  toErrorSchema,
  type FormContextType,
  type RJSFSchema,
  type RJSFValidationError,
  type StrictRJSFSchema,
  type ValidationData,
  type ValidatorType,
} from "@rjsf/utils";

import { rounded } from "../../json";

/** Keywords that only say that something inside them is wrong. */
const AROUND = new Set([
  "properties",
  "items",
  "prefixItems",
  "additionalProperties",
  "allOf",
  "$ref",
  "if",
  "then",
  "else",
]);

class CfworkerValidator<
  T = unknown,
  S extends StrictRJSFSchema = RJSFSchema,
  F extends FormContextType = FormContextType,
> implements ValidatorType<T, S, F> {
  /** Schemas are compared by identity: forms ask the same ones again at every key. */
  private compiled = new WeakMap<object, Validator>();

  isValid(schema: S, formData: T | undefined, rootSchema: S): boolean {
    try {
      return this.validatorOf(schema, rootSchema).validate(rounded(formData) ?? null).valid;
    } catch {
      return false;
    }
  }

  rawValidation<Result = OutputUnit>(
    schema: S,
    formData?: T,
  ): { errors?: Result[]; validationError?: Error } {
    try {
      const { errors } = this.validatorOf(schema).validate(rounded(formData) ?? null);
      return { errors: errors.filter((error) => !AROUND.has(error.keyword)) as Result[] };
    } catch (error) {
      return { validationError: error as Error };
    }
  }

  validateFormData(formData: T | undefined, schema: S): ValidationData<T> {
    const { errors = [], validationError } = this.rawValidation(schema, formData);
    const list: RJSFValidationError[] = errors.map(errorOf);
    if (validationError) list.push({ stack: validationError.message });
    return { errors: list, errorSchema: toErrorSchema<T>(list) };
  }

  reset() {
    this.compiled = new WeakMap();
  }

  private validatorOf(schema: S, rootSchema?: S): Validator {
    const known = this.compiled.get(schema);
    if (known) return known;
    // Parts of a schema are asked alone, with the definitions of the whole.
    const { $defs, definitions } = (rootSchema ?? {}) as { $defs?: object; definitions?: object };
    const whole = { ...($defs && { $defs }), ...(definitions && { definitions }), ...schema } as Schema;
    const made = new Validator(whole, "2020-12", false);
    this.compiled.set(schema, made);
    return made;
  }
}

/** `#/cases/0/name` becomes `.cases.0.name`, and a missing field is told at the field. */
function errorOf({ keyword, instanceLocation, keywordLocation, error }: OutputUnit): RJSFValidationError {
  const missing = keyword === "required" ? /"([^"]+)"/.exec(error)?.[1] : undefined;
  const steps = instanceLocation.replace(/^#\/?/, "").split("/").filter(Boolean);
  if (missing) steps.push(missing);
  const property = steps.map((step) => `.${step.replaceAll("~1", "/").replaceAll("~0", "~")}`).join("");
  return {
    name: keyword,
    property,
    message: error,
    stack: `${property} ${error}`.trim(),
    schemaPath: keywordLocation,
  };
}

// rjsf's own types are loose here; forms of any data may use the one validator.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const validator: ValidatorType<any, RJSFSchema, any> = new CfworkerValidator<any, RJSFSchema, any>();
