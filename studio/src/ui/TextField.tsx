// A labelled line of text.
import type { ComponentProps, ReactNode } from "react";

import { Field } from "./Field";
import { Input } from "./Input";

type TextFieldProps = Omit<ComponentProps<"input">, "value" | "onChange" | "id" | "className"> & {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: ReactNode;
  className?: string;
};

export const TextField = ({
  label,
  value,
  onChange,
  hint,
  error,
  required,
  className,
  ...rest
}: TextFieldProps) => (
  <Field label={label} hint={hint} error={error} required={required} className={className}>
    {(ids) => <Input {...ids} {...rest} value={value} onChange={(event) => onChange(event.target.value)} />}
  </Field>
);
