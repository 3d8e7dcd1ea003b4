// The controls for the kinds of values. Each is given its value and says what it becomes; none knows the node.
import { useState, type ComponentType } from "react";

import { titleCase } from "../../graph/catalogue";
import type { ValueKind, ValueOptions } from "../../graph/formSchema";
import { CodeEditor } from "../../ui/CodeEditor";
import { Input, Select } from "../../ui/Input";
import { jsonText, numberOf, parseJson } from "../../json";
import { CredentialControl } from "./CredentialControl";
import { ExpressionEditor } from "./ExpressionEditor";
import { PairsControl } from "./PairsControl";

export type ControlProps = {
  id: string;
  label: string;
  value: unknown;
  onChange: (value: unknown) => void;
  options: ValueOptions;
  required: boolean;
  describedBy: string;
  isInvalid: boolean;
  isReadOnly: boolean;
};

const otherwise = ({ otherwise: value, example }: ValueOptions) =>
  value !== undefined && value !== null && value !== ""
    ? String(typeof value === "object" ? jsonText(value) : value)
    : example === undefined
      ? ""
      : `e.g. ${String(example)}`;

const TextControl = ({ value, onChange, options, ...rest }: ControlProps) => (
  <ExpressionEditor
    id={rest.id}
    label={rest.label}
    describedBy={rest.describedBy}
    isInvalid={rest.isInvalid}
    value={typeof value === "string" ? value : value === undefined || value === null ? "" : jsonText(value)}
    onChange={onChange}
    placeholder={otherwise(options)}
  />
);

const CodeControl = ({ value, onChange, label, isReadOnly, id, describedBy, isInvalid }: ControlProps) => (
  <CodeEditor
    id={id}
    describedBy={describedBy}
    isInvalid={isInvalid}
    label={label}
    language="text"
    minHeight="8rem"
    isReadOnly={isReadOnly}
    value={typeof value === "string" ? value : ""}
    onChange={onChange}
  />
);

/** Any JSON. While it is written it may be no JSON; the last that was is kept. */
export function JsonControl({
  value,
  onChange,
  label,
  isReadOnly,
  id,
  describedBy,
  isInvalid,
}: Omit<ControlProps, "options" | "required">) {
  const [text, setText] = useState(() => (value === undefined ? "" : jsonText(value, 2)));
  const [isBroken, setBroken] = useState(false);
  const write = (next: string) => {
    setText(next);
    try {
      const read: unknown = next.trim() ? parseJson(next) : undefined;
      setBroken(false);
      onChange(read);
    } catch {
      setBroken(true);
    }
  };
  return (
    <>
      <CodeEditor
        id={id}
        describedBy={describedBy}
        isInvalid={isInvalid || isBroken}
        label={label}
        language="json"
        minHeight="5rem"
        maxHeight="20rem"
        isReadOnly={isReadOnly}
        value={text}
        onChange={write}
      />
      {isBroken && <p className="text-xs text-warn">This is not JSON yet; what was here before is kept.</p>}
    </>
  );
}

const NumberControl = ({
  id,
  value,
  onChange,
  options,
  describedBy,
  isInvalid,
  isReadOnly,
}: ControlProps) => (
  <Input
    id={id}
    type="number"
    step={options.isInteger ? 1 : "any"}
    aria-describedby={describedBy}
    aria-invalid={isInvalid || undefined}
    readOnly={isReadOnly}
    placeholder={otherwise(options)}
    value={typeof value === "number" || typeof value === "bigint" ? String(value) : ""}
    onChange={(event) => onChange(event.target.value === "" ? undefined : numberOf(event.target.value))}
  />
);

/** Three states: what holds when nothing is said is one of them. */
const FlagControl = ({
  id,
  value,
  onChange,
  options,
  required,
  describedBy,
  isInvalid,
  isReadOnly,
}: ControlProps) => (
  <Select
    id={id}
    aria-describedby={describedBy}
    aria-invalid={isInvalid || undefined}
    disabled={isReadOnly}
    value={value === undefined || value === null ? "" : String(value)}
    onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value === "true")}
  >
    {(!required || value === undefined) && (
      <option value="">
        {options.otherwise === undefined ? "Not set" : `Usual: ${options.otherwise ? "yes" : "no"}`}
      </option>
    )}
    <option value="true">Yes</option>
    <option value="false">No</option>
  </Select>
);

function ChoiceControl({
  id,
  value,
  onChange,
  options,
  required,
  describedBy,
  isInvalid,
  isReadOnly,
}: ControlProps) {
  const choices = options.choices ?? [];
  const place = choices.findIndex((choice) => choice.value === value);
  return (
    <>
      <Select
        id={id}
        aria-describedby={describedBy}
        aria-invalid={isInvalid || undefined}
        disabled={isReadOnly}
        value={place < 0 ? "" : place}
        onChange={(event) => onChange(choices[Number(event.target.value || "-1")]?.value)}
      >
        {(!required || place < 0) && (
          <option value="">
            {otherwise(options) ? `Usual: ${titleCase(otherwise(options))}` : "Not set"}
          </option>
        )}
        {choices.map((choice, at) => (
          <option key={String(choice.value)} value={at}>
            {titleCase(String(choice.value))}
          </option>
        ))}
      </Select>
      {choices[place]?.help && <p className="text-[11px] text-muted">{choices[place].help}</p>}
    </>
  );
}

/** A text with expressions, or any JSON when it is more than a text. */
function AnythingControl(props: ControlProps) {
  const isText = typeof props.value === "string" || props.value === undefined;
  const [asJson, setJson] = useState(!isText);
  return (
    <>
      {asJson ? <JsonControl {...props} /> : <TextControl {...props} />}
      {!props.isReadOnly && (
        <button
          type="button"
          className="self-start text-[11px] text-muted underline underline-offset-2 hover:text-text"
          onClick={() => setJson(!asJson)}
        >
          {asJson ? "Write as text" : "Write as JSON"}
        </button>
      )}
    </>
  );
}

export const controls: Record<ValueKind, ComponentType<ControlProps>> = {
  text: TextControl,
  number: NumberControl,
  flag: FlagControl,
  choice: ChoiceControl,
  anything: AnythingControl,
  pairs: PairsControl,
  code: CodeControl,
  json: JsonControl,
  credential: CredentialControl,
};
