// A window over the page, and the question that stands before what cannot be undone. Must not know pages.
import { AlertDialog, Dialog as RadixDialog } from "radix-ui";
import { X } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";

import { Button, IconButton } from "./Button";
import { cx } from "./cx";
import { ErrorNote } from "./Note";

const overlay = "fixed inset-0 z-40 bg-black/40";
const panel = cx(
  "fixed top-1/2 left-1/2 z-40 flex max-h-[90dvh] w-[calc(100vw-1.5rem)] -translate-x-1/2 -translate-y-1/2 flex-col",
  "rounded-lg border border-line bg-surface shadow-xl",
);
const widths = { small: "max-w-md", normal: "max-w-xl", wide: "max-w-4xl", full: "max-w-7xl" };

/** Where the focus was before a window opened, and how it comes back. What opened it may be gone by then: the page has the
 * focus instead, so that nobody has to begin at the top of the window again. */
function useFocusReturn() {
  const opener = useRef<Element | null>(null);
  return {
    remember: () => {
      opener.current = document.activeElement;
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      const isThere = opener.current?.isConnected && opener.current !== document.body;
      const place = isThere ? opener.current : document.querySelector("main");
      (place as HTMLElement | null)?.focus({ preventScroll: true });
    },
  };
}

type DialogProps = {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  width?: keyof typeof widths;
  /** Buttons at the bottom, the main one last. */
  actions?: ReactNode;
  children: ReactNode;
};

/** Who opens a form wants to fill it in. The button that closes it stands first and is not meant: its tip would open, and
 * take the first Escape. */
function focusFirstControl(event: Event) {
  const content = event.currentTarget as HTMLElement;
  const first = content.querySelector<HTMLElement>(
    "input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [contenteditable=true]",
  );
  event.preventDefault();
  (first ?? content).focus();
}

export function Dialog({
  isOpen,
  onClose,
  title,
  description,
  width = "normal",
  actions,
  children,
}: DialogProps) {
  const { remember, onCloseAutoFocus } = useFocusReturn();
  return (
    <RadixDialog.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={overlay} />
        <RadixDialog.Content
          className={cx(panel, widths[width])}
          onOpenAutoFocus={(event) => {
            remember();
            focusFirstControl(event);
          }}
          onCloseAutoFocus={onCloseAutoFocus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <header className="flex items-start gap-3 border-b border-line px-4 py-3">
            <div className="min-w-0 flex-1">
              <RadixDialog.Title className="text-sm font-semibold wrap-anywhere">{title}</RadixDialog.Title>
              {description && (
                <RadixDialog.Description className="mt-0.5 text-xs text-muted">
                  {description}
                </RadixDialog.Description>
              )}
            </div>
            <RadixDialog.Close asChild>
              <IconButton label="Close" size="small" className="-mr-1.5">
                <X size={16} aria-hidden />
              </IconButton>
            </RadixDialog.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto p-4" tabIndex={-1}>
            {children}
          </div>
          {actions && (
            <footer className="flex justify-end gap-2 border-t border-line px-4 py-3">{actions}</footer>
          )}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

type ConfirmProps = {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  /** What will happen. */
  children: ReactNode;
  /** The word on the button, such as "Delete". */
  action: string;
  /** The word on the other button, where "Cancel" could be taken for the action. */
  otherwise?: string;
  isDangerous?: boolean;
  /** Closes the question when it ends well; shows the error otherwise. */
  onConfirm: () => Promise<unknown>;
};

export function Confirm({
  isOpen,
  onClose,
  title,
  children,
  action,
  otherwise = "Cancel",
  isDangerous,
  onConfirm,
}: ConfirmProps) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const close = () => {
    setError(null);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (fault) {
      setError(fault);
    } finally {
      setBusy(false);
    }
  };
  const { remember, onCloseAutoFocus } = useFocusReturn();
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={overlay} />
        <AlertDialog.Content
          className={cx(panel, widths.small, "gap-3 p-4")}
          onOpenAutoFocus={remember}
          onCloseAutoFocus={onCloseAutoFocus}
        >
          <AlertDialog.Title className="text-sm font-semibold wrap-anywhere">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="text-sm text-muted">{children}</div>
          </AlertDialog.Description>
          <ErrorNote error={error} />
          <div className="mt-1 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{otherwise}</Button>
            </AlertDialog.Cancel>
            <Button
              look={isDangerous ? "danger" : "primary"}
              className={isDangerous ? "border-bad/50" : undefined}
              busy={isBusy}
              onClick={() => void confirm()}
            >
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
