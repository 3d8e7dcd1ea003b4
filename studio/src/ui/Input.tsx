// Text, choices and switches. Each takes what the element takes; `Field` labels them. Must not know forms.
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from "radix-ui";
import { Check } from "lucide-react";
import { forwardRef, useId, type ComponentProps, type ReactNode } from "react";

import { cx } from "./cx";

export const controlClass = cx(
  "w-full min-w-0 rounded-md border border-line bg-surface px-2.5 text-sm text-text placeholder:text-muted",
  "disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-bad",
);

export const Input = forwardRef<HTMLInputElement, ComponentProps<"input">>(function Input(
  { className, ...rest },
  ref,
) {
  return <input ref={ref} {...rest} className={cx(controlClass, "h-8", className)} />;
});

export const TextArea = forwardRef<HTMLTextAreaElement, ComponentProps<"textarea">>(function TextArea(
  { className, ...rest },
  ref,
) {
  return <textarea ref={ref} rows={3} {...rest} className={cx(controlClass, "py-1.5", className)} />;
});

/** The browser's own list of choices: known to every hand, and good on a phone. */
export const Select = forwardRef<HTMLSelectElement, ComponentProps<"select">>(function Select(
  { className, ...rest },
  ref,
) {
  return <select ref={ref} {...rest} className={cx(controlClass, "h-8 pr-7", className)} />;
});

type ToggleProps = {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
};

export function Checkbox({ label, hint, checked, onChange, disabled }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <RadixCheckbox.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={(state) => onChange(state === true)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded border border-muted bg-surface disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <RadixCheckbox.Indicator>
          <Check size={12} className="text-on-accent" aria-hidden />
        </RadixCheckbox.Indicator>
      </RadixCheckbox.Root>
      <ToggleText id={id} label={label} hint={hint} />
    </div>
  );
}

export function Switch({ label, hint, checked, onChange, disabled }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <RadixSwitch.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="relative mt-0.5 h-4 w-7 shrink-0 rounded-full bg-muted disabled:opacity-50 data-[state=checked]:bg-accent"
      >
        <RadixSwitch.Thumb className="block size-3 translate-x-0.5 rounded-full bg-surface transition-transform data-[state=checked]:translate-x-3.5" />
      </RadixSwitch.Root>
      <ToggleText id={id} label={label} hint={hint} />
    </div>
  );
}

const ToggleText = ({ id, label, hint }: { id: string; label: ReactNode; hint?: ReactNode }) => (
  <div className="min-w-0">
    <label htmlFor={id} className="text-sm text-text">
      {label}
    </label>
    {hint && (
      <p id={`${id}-hint`} className="text-xs text-muted">
        {hint}
      </p>
    )}
  </div>
);

/** Chooses files; the field's label says which. */
export const FileInput = ({ className, ...props }: ComponentProps<"input">) => (
  <input
    type="file"
    className={cx(
      "text-sm file:mr-3 file:h-8 file:cursor-pointer file:rounded-md file:border file:border-solid file:border-line file:bg-surface file:px-3 file:text-sm file:text-text",
      className,
    )}
    {...props}
  />
);
