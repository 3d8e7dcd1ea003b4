// Name, colours, picture and address for help: one's own, and what people see where nothing is set. Must not know of what.
import { useState } from "react";

import type { Schema } from "../api/client";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { ErrorNote } from "../ui/Note";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";

type LooksFormProps = {
  looks: Schema<"LooksView">;
  mayWrite: boolean;
  onSave: (looks: Schema<"LooksRequest">) => Promise<unknown>;
};

const FIELDS = ["name", "accent", "accent_dark", "support_email", "logo"] as const;

export function LooksForm({ looks: { own, seen }, mayWrite, onSave }: LooksFormProps) {
  const [values, setValues] = useState({
    name: own.name ?? "",
    accent: own.accent ?? "",
    accent_dark: own.accent_dark ?? "",
    support_email: own.support_email ?? "",
  });
  /** Undefined: it stays; empty: it is taken away. */
  const [logo, setLogo] = useState<string | undefined>();
  const form = useSubmit(async () => {
    await onSave({ ...values, ...(logo !== undefined && { logo }) });
    setLogo(undefined);
    toast.done("Saved.");
  }, FIELDS);
  const at = (name: keyof typeof values) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(name),
    disabled: !mayWrite,
    placeholder: seen[name] ?? undefined,
  });
  const picture = logo ?? (own.has_logo ? seen.logo_url : null);
  return (
    <form onSubmit={form.onSubmit} className="grid max-w-xl gap-3 sm:grid-cols-2">
      <TextField label="Name" maxLength={60} {...at("name")} />
      <TextField label="Address for help" type="email" {...at("support_email")} />
      <ColourField label="Colour on light ground" {...at("accent")} />
      <ColourField label="Colour on dark ground" {...at("accent_dark")} />
      <Field
        label="Picture"
        hint="PNG, JPEG or WebP, at most 256 KiB."
        error={form.errorAt("logo")}
        className="sm:col-span-2"
      >
        {(ids) => (
          <div className="flex items-center gap-3">
            {picture && <img src={picture} alt="The picture" className="size-10 rounded object-contain" />}
            <input
              {...ids}
              type="file"
              accept="image/png,image/jpeg,image/webp"
              disabled={!mayWrite}
              onChange={(event) => {
                const [file] = event.target.files ?? [];
                if (file) void dataUrl(file).then(setLogo, toast.error);
              }}
              className="min-w-0 flex-1 text-sm file:mr-3 file:h-8 file:cursor-pointer file:rounded-md file:border file:border-line file:bg-surface file:px-3 file:text-sm"
            />
            {picture && mayWrite && (
              <Button size="small" onClick={() => setLogo("")}>
                Take away
              </Button>
            )}
          </div>
        )}
      </Field>
      <div className="flex flex-col gap-2 sm:col-span-2">
        <ErrorNote error={form.error} />
        {mayWrite && (
          <Button type="submit" look="primary" busy={form.isBusy} className="self-start">
            Save
          </Button>
        )}
      </div>
    </form>
  );
}

type ColourFieldProps = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  disabled: boolean;
  placeholder: string | undefined;
};

const COLOUR = /^#[0-9a-f]{6}$/i;

/** A colour to type or to pick; empty for the one from above. */
const ColourField = ({ label, value, onChange, error, ...rest }: ColourFieldProps) => (
  <Field label={label} hint="Such as #0f766e." error={error}>
    {(ids) => (
      <div className="flex gap-1.5">
        <Input {...ids} {...rest} value={value} onChange={(event) => onChange(event.target.value)} />
        <input
          type="color"
          aria-label={`Pick: ${label.toLowerCase()}`}
          disabled={rest.disabled}
          value={[value, rest.placeholder].find((one) => one && COLOUR.test(one)) ?? "#0f766e"}
          onChange={(event) => onChange(event.target.value)}
          className="h-8 w-10 shrink-0 cursor-pointer rounded-md border border-line bg-surface p-0.5 disabled:cursor-not-allowed"
        />
      </div>
    )}
  </Field>
);

const dataUrl = (file: File) =>
  new Promise<string>((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error ?? new Error("The file could not be read."));
    reader.readAsDataURL(file);
  });
