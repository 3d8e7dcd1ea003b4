// A window with a form: fields, one action, what the server says against it. Must not know fields.
import { useId, type ReactNode } from "react";

import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ErrorNote } from "./Note";
import type { useSubmit } from "./useSubmit";

type FormDialogProps = {
  title: string;
  description?: ReactNode;
  action: string;
  /** What it does cannot be undone. */
  isDangerous?: boolean;
  form: ReturnType<typeof useSubmit<[]>>;
  onClose: () => void;
  width?: "small" | "normal" | "wide";
  children: ReactNode;
};

export function FormDialog({
  title,
  description,
  action,
  isDangerous,
  form,
  onClose,
  width = "small",
  children,
}: FormDialogProps) {
  const id = useId();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={title}
      description={description}
      width={width}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look={isDangerous ? "danger" : "primary"}
            className={isDangerous ? "border-bad/50" : undefined}
            type="submit"
            form={id}
            busy={form.isBusy}
          >
            {action}
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={form.onSubmit} className="flex flex-col gap-3">
        {children}
        <ErrorNote error={form.error} />
      </form>
    </Dialog>
  );
}
