// The form of a node's parameters, drawn from the schema that the catalogue serves. Must not know any node type.
// Not from the top of the library: that loads its test tools, which want ajv.
import Form from "@rjsf/core/lib/components/Form.js";
import type { RJSFSchema, UiSchema } from "@rjsf/utils";
import { useMemo } from "react";

import type { NodeType } from "../../graph/catalogue";
import { formOf, withoutEmpty, type Schema } from "../../graph/formSchema";
import { isSame } from "../../graph/pointer";
import { validator } from "../../ui/form/validator";
import { SectionField, VariantsField } from "./ShapeFields";
import { ArrayFieldItemTemplate, ArrayFieldTemplate, FieldTemplate, ObjectFieldTemplate } from "./templates";
import { ValueField } from "./ValueField";

type Params = Record<string, unknown>;
type Props = { type: NodeType; params: Params; onChange: (params: Params) => void };

const fields = { value: ValueField, variants: VariantsField, section: SectionField };
const templates = { FieldTemplate, ObjectFieldTemplate, ArrayFieldTemplate, ArrayFieldItemTemplate };

export default function ParamsForm({ type, params, onChange }: Props) {
  const form = useMemo(() => {
    const credentials = new Map(type.credentials.map((need) => [need.param, need.kinds]));
    return formOf(type.params_schema as Schema, { raw: type.raw_params, credentials });
  }, [type]);
  const { properties, additionalProperties } = type.params_schema as Schema;
  if (
    additionalProperties === false &&
    !Object.keys(properties ?? {}).length &&
    !("oneOf" in type.params_schema)
  )
    return <p className="text-sm text-muted">There is nothing to set.</p>;
  return (
    <Form
      schema={form.schema as RJSFSchema}
      uiSchema={form.ui as UiSchema}
      formData={params}
      validator={validator}
      fields={fields}
      templates={templates}
      idPrefix="params"
      tagName="div"
      noValidate
      showErrorList={false}
      experimental_defaultFormStateBehavior={{
        // A form that is only looked at must not change the draft.
        emptyObjectFields: "skipDefaults",
        arrayMinItems: { populate: "never" },
        constAsDefaults: "never",
      }}
      onChange={({ formData }) => {
        const next = withoutEmpty(formData ?? {}) as Params;
        if (!isSame(next, params)) onChange(next);
      }}
    >
      <></>
    </Form>
  );
}
