// Which runs are listed: held in the page's address, so that a list can be kept and shared. Must not know React.
import type { Schema } from "../api/client";

type RunStatus = Schema<"RunStatus">;

export const STATUSES: RunStatus[] = ["queued", "running", "waiting", "succeeded", "failed", "cancelled"];

/** Spans back from now, in words and milliseconds. */
export const SPANS = [
  { id: "1h", text: "Last hour", ms: 3_600_000 },
  { id: "24h", text: "Last 24 hours", ms: 86_400_000 },
  { id: "7d", text: "Last 7 days", ms: 604_800_000 },
  { id: "30d", text: "Last 30 days", ms: 2_592_000_000 },
] as const;

export type RunFilters = {
  workflow?: string;
  status?: RunStatus;
  /** Id of a span. */
  since?: string;
  attention?: boolean;
};

export function readFilters(query: URLSearchParams): RunFilters {
  const status = STATUSES.find((one) => one === query.get("status"));
  const since = SPANS.find((one) => one.id === query.get("since"))?.id;
  const workflow = query.get("workflow");
  return {
    ...(workflow && { workflow }),
    ...(status && { status }),
    ...(since && { since }),
    ...(query.get("attention") === "true" && { attention: true }),
  };
}

export function writeFilters(filters: RunFilters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, String(value));
  return query;
}

/** What is asked of the API. A span begins at a whole minute, so that asking again is the same question. */
export function questionOf({ since, ...rest }: RunFilters, now: number) {
  const span = SPANS.find((one) => one.id === since);
  return { ...rest, ...(span && { since: String(Math.floor((now - span.ms) / 60_000) * 60_000) }) };
}

/** Whether a run that has just begun belongs into the list. */
export const mayShow = (filters: RunFilters, workflowId: string) =>
  !filters.workflow || filters.workflow === workflowId;
