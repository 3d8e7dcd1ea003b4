// Short news at the edge of the page. Errors are shown with the server's own words.
import { Toaster, toast as sonner } from "sonner";

export const Toasts = ({ theme }: { theme: "light" | "dark" }) => (
  <Toaster
    theme={theme}
    position="bottom-right"
    closeButton
    // On a phone the navigation is at the foot.
    mobileOffset={{ bottom: 64 }}
    toastOptions={{ className: "!border-line !bg-surface !text-text !text-sm" }}
  />
);

export const toast = {
  done: (message: string) => void sonner.success(message),
  say: (message: string) => void sonner(message),
  /** Shows what went wrong. */
  error: (error: unknown) =>
    void sonner.error(error instanceof Error ? error.message : String(error), { duration: 8000 }),
};
