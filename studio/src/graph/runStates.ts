// How the nodes of a run stand, from a run as read or from its live events. Must not know colours or the canvas.
import type { components } from "../api/schema";

export type RunView = components["schemas"]["RunView"];
export type NodeRun = components["schemas"]["NodeRunView"];
export type NodeStatus = components["schemas"]["NodeStatus"];
export type Item = { json: unknown; files?: unknown; from?: unknown };

/** What the canvas shows of a node's latest run. */
export type NodeState = {
  status: NodeStatus;
  attempt?: number;
  /** Runs of this node in all; more than one in loops. */
  runs?: number;
  ms?: number;
  /** Items by output port. */
  counts?: Record<string, number>;
  error?: string;
  /** When it began, while it runs. */
  since?: number;
};

export type NodeStates = Record<string, NodeState>;

/** One server-sent event of a run. */
export type RunEvent = {
  event: string;
  run_id: string;
  workflow_id: string;
  seq: number;
  at: number;
  node?: string;
  data?: {
    attempt?: number;
    output?: Record<string, unknown[]>;
    error?: { message?: string };
    retry_at?: number | null;
  };
};

export const itemsOf = (ports: Record<string, unknown>, port: string): Item[] =>
  Array.isArray(ports[port]) ? (ports[port] as Item[]) : [];

const countsOf = (output: Record<string, unknown>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(output).map(([port, items]) => [port, Array.isArray(items) ? items.length : 0]),
  );

export function statesOfRun(run: Pick<RunView, "nodes">): NodeStates {
  const states: NodeStates = {};
  for (const node of run.nodes) {
    const runs = (states[node.id]?.runs ?? 0) + (node.status === "pending" ? 0 : 1);
    states[node.id] = { ...stateOf(node), runs };
  }
  return states;
}

function stateOf(node: NodeRun): NodeState {
  const state: NodeState = { status: node.status };
  if (node.attempt) state.attempt = node.attempt;
  if (node.started_at && node.ended_at) state.ms = node.ended_at - node.started_at;
  if (Object.keys(node.output).length) state.counts = countsOf(node.output);
  const message = (node.error as { message?: unknown } | null)?.message;
  if (node.status === "failed" && typeof message === "string") state.error = message;
  return state;
}

const STATUS: Record<string, NodeStatus> = {
  "node.started": "running",
  "node.resumed": "running",
  "node.waiting": "waiting",
  "node.succeeded": "succeeded",
  "node.failed": "failed",
  "node.skipped": "skipped",
  "node.cancelled": "cancelled",
};

/** The states after some more events; the same object when they tell nothing of nodes. */
export function afterEvents(states: NodeStates, events: readonly RunEvent[]): NodeStates {
  let next = states;
  for (const { event, node, at, data } of events) {
    const status = STATUS[event];
    if (!node || !status) continue;
    if (next === states) next = { ...states };
    const old = next[node];
    if (status === "running") {
      const runs = (old?.runs ?? 0) + (event === "node.started" ? 1 : 0);
      next[node] = { status, attempt: data?.attempt ?? 1, runs, since: at };
      continue;
    }
    const waits = event === "node.failed" && data?.retry_at;
    const since = old?.since;
    next[node] = {
      ...old,
      status: waits ? "waiting" : status,
      ...(since !== undefined && { ms: Math.max(0, at - since) }),
      ...(data?.output && { counts: countsOf(data.output) }),
      ...(data?.error?.message && { error: data.error.message }),
    };
  }
  return next;
}

/** The latest run of a node inside a run. */
export const latestOf = (run: RunView | null, id: string): NodeRun | undefined =>
  run?.nodes.findLast((node) => node.id === id);

/** The events after which a run stands still. */
export const isEnd = (event: string) =>
  event === "run.succeeded" || event === "run.failed" || event === "run.cancelled";
