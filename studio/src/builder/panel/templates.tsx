// How the form library's objects and lists look here. Must not know what they hold.
import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  ObjectFieldTemplateProps,
} from "@rjsf/utils";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";

import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Ticks } from "../../ui/Ticks";
import { useFields, useProblemsAt } from "./FieldContext";

export const FieldTemplate = ({ children, hidden }: FieldTemplateProps) => (hidden ? null : children);

/** This many optional fields are shown at once; the others open on demand. */
const SHOWN = 4;

export function ObjectFieldTemplate({ properties, schema, formData, fieldPathId }: ObjectFieldTemplateProps) {
  const { problems } = useFields();
  const required = new Set(schema.required ?? []);
  const hasProblem = (name: string) => {
    const pointer = ["/params", ...fieldPathId.path, name].join("/");
    return [...problems.keys()].some((path) => path === pointer || path.startsWith(`${pointer}/`));
  };
  const isNeeded = (name: string) =>
    required.has(name) || (formData as Record<string, unknown>)?.[name] !== undefined || hasProblem(name);
  const needed = properties.filter(({ name }) => isNeeded(name));
  const optional = properties.filter(({ name }) => !isNeeded(name));
  const room = optional.length <= SHOWN ? optional.length : Math.max(0, SHOWN - needed.length);
  const shown = new Set([...needed, ...optional.slice(0, room)].map(({ name }) => name));
  const rest = properties.filter(({ name }) => !shown.has(name));
  return (
    <div className="flex flex-col gap-3.5">
      {properties
        .filter(({ name }) => shown.has(name))
        .map(({ name, content }) => (
          <div key={name}>{content}</div>
        ))}
      {rest.length > 0 && (
        <details className="rounded-md border border-line">
          <summary className="cursor-pointer px-2.5 py-1.5 text-xs font-medium text-muted">
            More ({rest.length})
          </summary>
          <div className="flex flex-col gap-3.5 p-2.5">
            {rest.map(({ name, content }) => (
              <div key={name}>{content}</div>
            ))}
          </div>
        </details>
      )}
    </div>
  );
}

export function ArrayFieldTemplate({
  items,
  canAdd,
  onAddClick,
  title,
  schema,
  required,
  fieldPathId,
}: ArrayFieldTemplateProps) {
  const { isReadOnly } = useFields();
  const problems = useProblemsAt(fieldPathId.path);
  return (
    <div
      role="group"
      aria-label={title}
      className="flex flex-col gap-1.5"
      data-field={fieldPathId.path.join("/")}
    >
      <div className="text-xs font-medium">
        {title}
        {required && (
          <span aria-hidden className="text-bad">
            {" "}
            *
          </span>
        )}
      </div>
      {problems.map((problem) => (
        <p
          key={problem.message}
          className={cx("text-xs", problem.severity === "error" ? "text-bad" : "text-warn")}
        >
          {problem.message}
        </p>
      ))}
      {schema.description && (
        <p className="text-[11px] text-muted">
          <Ticks text={schema.description} />
        </p>
      )}
      {items}
      {canAdd && !isReadOnly && (
        <Button
          size="small"
          className="self-start"
          icon={<Plus size={13} aria-hidden />}
          onClick={onAddClick}
        >
          Add to {title.toLowerCase()}
        </Button>
      )}
    </div>
  );
}

export function ArrayFieldItemTemplate({ children, buttonsProps, index }: ArrayFieldItemTemplateProps) {
  const { isReadOnly } = useFields();
  const { hasMoveUp, hasMoveDown, hasRemove, onMoveUpItem, onMoveDownItem, onRemoveItem } = buttonsProps;
  return (
    <div className="flex gap-1 rounded-md border border-line p-2">
      <div className="min-w-0 flex-1">{children}</div>
      {!isReadOnly && (
        <div className="flex flex-col">
          {hasMoveUp && (
            <IconButton size="small" label={`Move ${index + 1} up`} onClick={onMoveUpItem}>
              <ArrowUp size={13} aria-hidden />
            </IconButton>
          )}
          {hasMoveDown && (
            <IconButton size="small" label={`Move ${index + 1} down`} onClick={onMoveDownItem}>
              <ArrowDown size={13} aria-hidden />
            </IconButton>
          )}
          {hasRemove && (
            <IconButton size="small" label={`Remove ${index + 1}`} onClick={onRemoveItem}>
              <Trash2 size={13} aria-hidden />
            </IconButton>
          )}
        </div>
      )}
    </div>
  );
}
