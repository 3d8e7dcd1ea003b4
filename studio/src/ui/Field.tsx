// A labelled control with its hint and its error, tied together for those who hear the page. Must not know forms.
import { useId, type ReactNode } from "react";

import { cx } from "./cx";

export type ControlIds = {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
  required?: boolean;
};

type FieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  className?: string;
  /** The label is only for those who hear the page. */
  isLabelHidden?: boolean;
  /** Draws the control with what ties it to label, hint and error. */
  children: (ids: ControlIds) => ReactNode;
};

export function Field({ label, hint, error, required, className, isLabelHidden, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className={isLabelHidden ? "sr-only" : "text-xs font-medium text-text"}>
        {label}
        {required && (
          <span aria-hidden className="text-bad">
            {" "}
            *
          </span>
        )}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined, required })}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
