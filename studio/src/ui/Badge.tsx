// A word in a colour that says how something stands. The statuses are the API's; must not know pages.
import type { ReactNode } from "react";

import { cx } from "./cx";

export type Tone = "ok" | "bad" | "warn" | "busy" | "muted";

const tones: Record<Tone, string> = {
  ok: "text-ok bg-ok/10",
  bad: "text-bad bg-bad/10",
  warn: "text-warn bg-warn/10",
  busy: "text-busy bg-busy/10",
  muted: "text-muted bg-raised",
};

export const Badge = ({
  tone = "muted",
  className,
  children,
}: {
  tone?: Tone;
  className?: string;
  children: ReactNode;
}) => (
  <span
    className={cx(
      "inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap",
      tones[tone],
      className,
    )}
  >
    {children}
  </span>
);

/** Runs, nodes, people, workspaces, connections: what a status of the API looks like. */
export const toneOf = (status: string): Tone => TONES[status] ?? "muted";

const TONES: Record<string, Tone> = {
  succeeded: "ok",
  active: "ok",
  approved: "ok",
  connected: "ok",
  verified: "ok",
  failed: "bad",
  rejected: "bad",
  suspended: "bad",
  expired: "bad",
  revoked: "bad",
  running: "busy",
  trial: "busy",
  waiting: "warn",
  pending: "warn",
  past_due: "warn",
  under_review: "warn",
  pending_verification: "warn",
};

export const StatusBadge = ({ status, className }: { status: string; className?: string }) => (
  <Badge tone={toneOf(status)} className={className}>
    <span
      aria-hidden
      className={cx(
        "size-1.5 rounded-full bg-current",
        status === "running" && "animate-pulse motion-reduce:animate-none",
      )}
    />
    {status.replaceAll("_", " ")}
  </Badge>
);
