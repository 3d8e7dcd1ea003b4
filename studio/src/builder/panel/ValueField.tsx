// One value of a node's parameters. What it is shown as follows from the schema; whatever it is, it may be an expression
// instead.
import type { FieldProps } from "@rjsf/utils";
import { Braces } from "lucide-react";
import { useId, useState } from "react";

import { hasExpression } from "../../graph/completion";
import type { ValueOptions } from "../../graph/formSchema";
import { IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Ticks } from "../../ui/Ticks";
import { jsonText } from "../../json";
import { ExpressionEditor } from "./ExpressionEditor";
import { useFields, useProblemsAt } from "./FieldContext";
import { controls } from "./controls";

/** Kinds that are texts anyway and need no switch. */
const ALWAYS_TEXT = new Set(["text", "code", "json", "pairs", "anything", "credential"]);

export function ValueField(props: FieldProps) {
  const { formData, onChange, fieldPathId, schema, uiSchema, required, name } = props;
  const options = uiSchema?.["ui:options"] as unknown as ValueOptions;
  const value: unknown = formData;
  const id = useId();
  const { isReadOnly } = useFields();
  const problems = useProblemsAt(fieldPathId.path);
  const canSwitch = !ALWAYS_TEXT.has(options.kind);
  const [isCode, setCode] = useState(canSwitch && hasExpression(value));
  const shownAsCode = canSwitch && (isCode || hasExpression(value));
  const label = schema.title ?? name;
  const put = (next: unknown) => onChange(next === "" && !required ? undefined : next, fieldPathId.path);
  const described = `${id}-hint`;
  const Control = controls[options.kind];
  const switchTo = (code: boolean) => {
    setCode(code);
    if (code && !hasExpression(value)) put(value === undefined ? "{{  }}" : `{{ ${jsonText(value)} }}`);
    if (!code && hasExpression(value)) put(undefined);
  };
  return (
    <div className="flex min-w-0 flex-col gap-1" data-field={fieldPathId.path.join("/")}>
      <div className="flex min-h-6 items-center gap-1">
        <label htmlFor={id} className="min-w-0 flex-1 truncate text-xs font-medium">
          {label}
          {required && (
            <span aria-hidden className="text-bad">
              {" "}
              *
            </span>
          )}
        </label>
        {canSwitch && !isReadOnly && (
          <IconButton
            size="small"
            label={shownAsCode ? `${label}: choose a value` : `${label}: write an expression`}
            aria-pressed={shownAsCode}
            className={cx("!h-6 !w-6", shownAsCode && "text-accent")}
            onClick={() => switchTo(!shownAsCode)}
          >
            <Braces size={13} aria-hidden />
          </IconButton>
        )}
      </div>
      {shownAsCode ? (
        <ExpressionEditor
          id={id}
          label={label}
          value={typeof value === "string" ? value : ""}
          onChange={put}
          describedBy={described}
          isInvalid={problems.length > 0}
        />
      ) : (
        <Control
          id={id}
          label={label}
          value={value}
          onChange={put}
          options={options}
          required={required ?? false}
          describedBy={described}
          isInvalid={problems.length > 0}
          isReadOnly={isReadOnly}
        />
      )}
      <div id={described} className="flex flex-col gap-0.5">
        {problems.map((problem) => (
          <p
            key={problem.code + problem.message}
            className={cx("text-xs", problem.severity === "error" ? "text-bad" : "text-warn")}
          >
            {problem.message}
          </p>
        ))}
        {schema.description && (
          <p className="text-[11px] leading-4 text-muted">
            <Ticks text={schema.description} />
          </p>
        )}
      </div>
    </div>
  );
}
