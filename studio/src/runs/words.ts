// What the API says of runs, in words for people. Must not know node types.
import type { Schema } from "../api/client";
import { exactTime } from "../ui/time";

type RunView = Schema<"RunView">;
export type NodeRun = Schema<"NodeRunView">;
export type Wait = {
  kind?: string;
  until?: number | null;
  signal?: string | null;
  info?: unknown;
  state?: unknown;
};
export type NodeError = { code?: string; kind?: string; message?: string; [more: string]: unknown };

/** One line that a node wrote. */
export type LogLine = { at: number; level: string; message: string };

export const waitOf = (node: NodeRun) => (node.wait ?? null) as Wait | null;
export const errorOfNode = (node: NodeRun) => (node.error ?? null) as NodeError | null;
export const logsOf = (node: NodeRun) => node.logs as unknown as LogLine[];
export const nameOfNode = (node: Pick<NodeRun, "id" | "label">) => node.label || node.id;

const WAITS: Record<string, string> = {
  time: "Waits for a moment",
  signal: "Waits for a signal",
  reply: "Waits for the customer's reply",
  approval: "Waits for a decision",
  call: "Waits for the run that it called",
  outcome: "Waits to learn whether its effect took place",
};

/** For what a node waits and until when, in one sentence. */
export function waitWords(wait: Wait): string {
  const what = WAITS[wait.kind ?? ""] ?? `Waits (${wait.kind ?? "no reason given"})`;
  const signal = wait.signal && wait.kind === "signal" ? ` “${wait.signal}”` : "";
  const until = wait.until ? `, until ${exactTime(wait.until)} at the latest` : "";
  if (wait.kind === "time" && wait.until) return `Waits until ${exactTime(wait.until)}.`;
  return `${what}${signal}${until}.`;
}

export const attentionWords = (attention: Schema<"Attention">) =>
  attention === "unknown_outcome"
    ? "Nobody knows whether an effect took place; somebody must say."
    : "The run was given up because it kills the process.";

/** How long a run took, or takes; null before it began. */
export function runSpan(run: Pick<RunView, "started_at" | "ended_at">, now: number): number | null {
  return run.started_at == null ? null : (run.ended_at ?? now) - run.started_at;
}

export const isOver = (run: Pick<RunView, "status">) =>
  run.status === "succeeded" || run.status === "failed" || run.status === "cancelled";

/** Runs of nodes that came to something, in the order in which they began: the steps of a replay. */
export const stepsOf = (nodes: NodeRun[]) =>
  nodes.filter((node) => node.status !== "pending" && node.attempt > 0);
