// One run as it is now: read once, followed by its stream, and read again when something has happened, but never so often
// that reading is all the page does. Must not know how a run looks.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { $api, type Schema } from "../api/client";
import { useStream, type LiveEvent, type StreamState } from "../api/events";
import { afterEvents, type NodeStates, type RunEvent } from "../graph/runStates";
import { isOver } from "./words";

/** The shortest rest between two readings, milliseconds; at least twice as long as reading took. */
const REST = 400;

type LiveRun = {
  run: Schema<"RunView"> | undefined;
  error: unknown;
  refetch: () => void;
  /** How nodes stand by the events; null when the run is over and its record says it all. */
  states: NodeStates | null;
  stream: StreamState;
};

/** A stream that is read from its beginning tells the run anew. */
export function statesAfter(states: NodeStates, events: LiveEvent[]): NodeStates {
  const begin = events.findLastIndex((event) => event.event === "run.started");
  return begin < 0
    ? afterEvents(states, events as RunEvent[])
    : afterEvents({}, events.slice(begin) as RunEvent[]);
}

export function useRun(id: string): LiveRun {
  const options = { params: { path: { id } } };
  const { data: run, error, refetch } = $api.useQuery("get", "/api/runs/{id}", options);
  const [states, setStates] = useState<NodeStates>({});
  const isLive = run !== undefined && !isOver(run);
  const readSoon = useReadSoon(id);
  const stream = useStream(isLive ? `/api/runs/${encodeURIComponent(id)}/stream` : null, {
    onEvents: (events) => {
      setStates((before) => statesAfter(before, events));
      readSoon();
    },
    onReset: readSoon,
  });
  return { run, error, refetch: () => void refetch(), states: isLive ? states : null, stream };
}

/** Reads the run again after a rest; what asks meanwhile is served by the same reading. */
function useReadSoon(id: string) {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const rest = useRef(REST);
  const isReading = useRef(false);
  const isAsked = useRef(false);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return function readSoon() {
    isAsked.current = true;
    if (timer.current || isReading.current) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      isAsked.current = false;
      isReading.current = true;
      const begin = performance.now();
      void client.invalidateQueries({ queryKey: runKey(id) }).finally(() => {
        isReading.current = false;
        rest.current = Math.max(REST, 2 * (performance.now() - begin));
        if (isAsked.current) readSoon();
      });
    }, rest.current);
  };
}

/** The query of one run, for who changes it. */
export const runKey = (id: string) => ["get", "/api/runs/{id}", { params: { path: { id } } }];
