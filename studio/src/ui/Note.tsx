// Sentences that stand in a page: an error as the server worded it, a hint, an empty list. Must not know pages.
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { ApiError } from "../api/client";
import { Button } from "./Button";
import { cx } from "./cx";

const looks = {
  info: {
    box: "border-line bg-raised text-text",
    icon: <Info size={16} className="mt-0.5 shrink-0 text-busy" aria-hidden />,
  },
  warn: {
    box: "border-warn/40 bg-warn/10 text-text",
    icon: <TriangleAlert size={16} className="mt-0.5 shrink-0 text-warn" aria-hidden />,
  },
  bad: {
    box: "border-bad/40 bg-bad/10 text-text",
    icon: <CircleAlert size={16} className="mt-0.5 shrink-0 text-bad" aria-hidden />,
  },
};

type NoteProps = { tone?: keyof typeof looks; className?: string; action?: ReactNode; children: ReactNode };

export const Note = ({ tone = "info", className, action, children }: NoteProps) => (
  <div
    role={tone === "bad" ? "alert" : undefined}
    className={cx("flex items-start gap-2 rounded-md border px-3 py-2 text-sm", looks[tone].box, className)}
  >
    {looks[tone].icon}
    <div className="min-w-0 flex-1 break-words">{children}</div>
    {action}
  </div>
);

/** What went wrong, in the server's words; nothing when nothing did. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  const request = error instanceof ApiError ? error.requestId : null;
  // What does not exist does not come to be by asking again.
  const isGone = error instanceof ApiError && error.status === 404;
  return (
    <Note
      tone="bad"
      action={
        onRetry &&
        !isGone && (
          <Button size="small" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {error instanceof Error ? error.message : String(error)}
      {request && <span className="block text-xs text-muted">Request {request}</span>}
    </Note>
  );
}

type EmptyProps = { icon?: ReactNode; title: ReactNode; children?: ReactNode; action?: ReactNode };

/** In the place of a list that holds nothing: says why, and what to do. */
export const EmptyState = ({ icon, title, children, action }: EmptyProps) => (
  <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-line px-6 py-12 text-center">
    {icon && <div className="text-muted">{icon}</div>}
    <p className="text-sm font-medium">{title}</p>
    {children && <div className="max-w-md text-sm text-muted">{children}</div>}
    {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
  </div>
);
