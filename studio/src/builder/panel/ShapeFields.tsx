// Values with parts: shapes of which one is chosen, and optional sections. What is inside is drawn by the form itself.
import type { FieldProps, RJSFSchema, UiSchema } from "@rjsf/utils";
import { Plus, Trash2 } from "lucide-react";
import { useId } from "react";

import { titleCase } from "../../graph/catalogue";
import type { Variant } from "../../graph/formSchema";
import { Button, IconButton } from "../../ui/Button";
import { Select } from "../../ui/Input";
import { Ticks } from "../../ui/Ticks";
import { useFields } from "./FieldContext";

type VariantOptions = { key: string; variants: Variant[]; isNullable: boolean };
type Data = Record<string, unknown> | undefined;

export function VariantsField(props: FieldProps) {
  const { formData, onChange, fieldPathId, uiSchema, schema, name, required } = props;
  const { key, variants } = (uiSchema?.["ui:options"] ?? {
    key: "",
    variants: [],
  }) as unknown as VariantOptions;
  const id = useId();
  const { isReadOnly } = useFields();
  const data = formData as Data;
  const chosen = variants.find((variant) => variant.value === data?.[key]);
  const isRoot = fieldPathId.path.length === 0;
  const mustBe = isRoot || required;
  const { SchemaField } = props.registry.fields;
  const choose = (value: string) => {
    const next = variants.find((variant) => String(variant.value) === value);
    if (!next) return onChange(undefined, fieldPathId.path);
    // What both shapes have in common is kept.
    const names = Object.keys((next.form.schema.properties ?? {}) as object);
    const kept = Object.entries(data ?? {}).filter(([field]) => names.includes(field));
    onChange({ [key]: next.value, ...Object.fromEntries(kept) }, fieldPathId.path);
  };
  return (
    <div className="flex flex-col gap-3" data-field={[...fieldPathId.path, key].join("/")}>
      <div className="flex flex-col gap-1">
        <label htmlFor={id} className="text-xs font-medium">
          {isRoot ? titleCase(key) : (schema.title ?? name)}
        </label>
        <Select
          id={id}
          disabled={isReadOnly}
          value={String(chosen?.value ?? "")}
          onChange={(event) => choose(event.target.value)}
        >
          {(!mustBe || !chosen) && <option value="">{mustBe ? "Choose" : "None"}</option>}
          {variants.map((variant) => (
            <option key={String(variant.value)} value={String(variant.value)}>
              {variant.title}
            </option>
          ))}
        </Select>
        {(chosen?.help || schema.description) && (
          <p className="text-[11px] text-muted">
            <Ticks text={chosen?.help || schema.description || ""} />
          </p>
        )}
      </div>
      {chosen && SchemaField && Object.keys((chosen.form.schema.properties ?? {}) as object).length > 0 && (
        <div className={isRoot ? undefined : "border-l-2 border-line pl-3"}>
          <SchemaField
            {...props}
            key={String(chosen.value)}
            schema={chosen.form.schema as RJSFSchema}
            uiSchema={chosen.form.ui as UiSchema}
          />
        </div>
      )}
    </div>
  );
}

/** An object that may be left out: it is added before it is filled in. */
export function SectionField(props: FieldProps) {
  const { formData, onChange, fieldPathId, uiSchema, schema, name } = props;
  const { isReadOnly } = useFields();
  const title = schema.title ?? name;
  const { SchemaField } = props.registry.fields;
  const { "ui:field": _, ...inner } = uiSchema ?? {};
  if (formData === undefined || formData === null) {
    return (
      <div className="flex flex-col items-start gap-1">
        <Button
          size="small"
          disabled={isReadOnly}
          icon={<Plus size={13} aria-hidden />}
          onClick={() => onChange({}, fieldPathId.path)}
        >
          Add {title.toLowerCase()}
        </Button>
        {schema.description && (
          <p className="text-[11px] text-muted">
            <Ticks text={schema.description} />
          </p>
        )}
      </div>
    );
  }
  return (
    <section aria-label={title} className="flex flex-col gap-2 border-l-2 border-line pl-3">
      <div className="flex items-center gap-1">
        <h4 className="min-w-0 flex-1 text-xs font-medium">{title}</h4>
        {!isReadOnly && (
          <IconButton
            size="small"
            label={`Remove ${title}`}
            onClick={() => onChange(undefined, fieldPathId.path)}
          >
            <Trash2 size={13} aria-hidden />
          </IconButton>
        )}
      </div>
      {SchemaField && <SchemaField {...props} uiSchema={inner} />}
    </section>
  );
}
