// Keeps a list of runs as it is now: what is shown changes at once, what is new is read. However much happens, the list is
// read again only so often. Must not know how the list looks.
import { useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import type { Schema } from "../api/client";
import { useStream, type LiveEvent } from "../api/events";
import { mayShow, type RunFilters } from "./filters";

type RunSummary = Schema<"RunSummary">;
type Parts = InfiniteData<{ items: RunSummary[]; next?: string | null }>;

/** The shortest time between two readings, milliseconds. */
const REST = 1000;

const STATUS: Record<string, RunSummary["status"]> = {
  "run.started": "running",
  "run.retried": "running",
  "run.waiting": "waiting",
  "run.succeeded": "succeeded",
  "run.failed": "failed",
  "run.cancelled": "cancelled",
};
const ENDS = new Set(["run.succeeded", "run.failed", "run.cancelled"]);

export const runLists = { queryKey: ["get", "/api/runs"] };

/** The parts of a list after some events; the same when none concerns them. */
export function afterRunEvents(parts: Parts, events: LiveEvent[]): Parts {
  const last = new Map<string, LiveEvent>();
  for (const event of events) if (STATUS[event.event]) last.set(event.run_id, event);
  if (!parts.pages.some((part) => part.items.some((run) => last.has(run.id)))) return parts;
  const update = (run: RunSummary): RunSummary => {
    const event = last.get(run.id);
    const status = event && STATUS[event.event];
    if (!event || !status) return run;
    return { ...run, status, ended_at: ENDS.has(event.event) ? event.at : null };
  };
  return { ...parts, pages: parts.pages.map((part) => ({ ...part, items: part.items.map(update) })) };
}

export function useLiveRuns(filters: RunFilters) {
  const client = useQueryClient();
  const planned = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(planned.current ?? undefined), []);
  const readSoon = () => {
    planned.current ??= setTimeout(() => {
      planned.current = null;
      void client.invalidateQueries(runLists);
    }, REST);
  };
  const path = filters.workflow
    ? `/api/stream?workflow=${encodeURIComponent(filters.workflow)}`
    : "/api/stream";
  return useStream(path, {
    onEvents: (events) => {
      const ofRuns = events.filter(
        (one) => one.event.startsWith("run.") && mayShow(filters, one.workflow_id),
      );
      if (ofRuns.length === 0) return;
      client.setQueriesData<Parts>(
        runLists,
        (parts) => parts && (parts.pages ? afterRunEvents(parts, ofRuns) : parts),
      );
      readSoon();
    },
    onReset: readSoon,
  });
}
