// What happens in runs, as it happens: one stream, kept open until it is over. Where it broke it goes on, by the id of the
// last event. Events are handed on once per frame, however many came. Must not know what a page does with them.
import { useEffect, useRef, useState } from "react";

import { parseJson } from "../json";
import { errorOf, send } from "./client";
import { readEvents } from "./sse";

/** Something that happened in a run. */
export type LiveEvent = {
  /** Such as `node.succeeded`; `stream.reset` when events were missed and lists must be read again. */
  event: string;
  run_id: string;
  workflow_id: string;
  seq: number;
  at: number;
  node?: string;
  data?: Record<string, unknown>;
};

/** `open`: events arrive. `lost`: being connected anew. `over`: the run has ended. `refused`: the server said no. */
export type StreamState = "connecting" | "open" | "lost" | "over" | "refused";

export type Follower = {
  onEvents: (events: LiveEvent[]) => void;
  /** Events were missed: read again what is shown. */
  onReset?: () => void;
  onState?: (state: StreamState) => void;
};

/** Waits between tries, milliseconds. */
const PATIENCE = [250, 500, 1000, 2000, 4000, 8000];
/** The server says something at least every fifteen seconds; who is silent for longer is gone. */
const SILENCE = 40_000;

/** Follows a stream of the API until it is over or the answer is called. */
export function follow(path: string, follower: Follower): () => void {
  const stop = new AbortController();
  const frame = frameOf(follower.onEvents);
  let lastId: string | null = null;
  let failures = 0;

  const listen = async (): Promise<"again" | "over" | "refused"> => {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId) headers["last-event-id"] = lastId;
    const once = new AbortController();
    const signal = AbortSignal.any([stop.signal, once.signal]);
    const answer = await send(
      new Request(new URL(path, location.origin), { headers, signal, cache: "no-store" }),
    );
    if (answer.status === 204) return "over";
    if (!answer.ok || !answer.body) {
      const error = await errorOf(answer);
      return error.status >= 500 || error.status === 429 ? "again" : "refused";
    }
    failures = 0;
    follower.onState?.("open");
    let watch = setTimeout(() => once.abort(), SILENCE);
    const heard = () => {
      clearTimeout(watch);
      watch = setTimeout(() => once.abort(), SILENCE);
    };
    try {
      await readEvents(
        answer.body,
        (event) => {
          lastId = event.id ?? lastId;
          if (event.event === "stream.reset") follower.onReset?.();
          else frame.put(parseJson(event.data) as LiveEvent);
        },
        heard,
      );
    } finally {
      clearTimeout(watch);
    }
    return "again";
  };

  const goOn = async () => {
    follower.onState?.("connecting");
    while (!stop.signal.aborted) {
      const end = await listen().catch(() => "again" as const);
      if (stop.signal.aborted) return;
      if (end !== "again") {
        frame.flush();
        return follower.onState?.(end);
      }
      // The stream of a run ends with the run: the first look afterwards is no loss yet.
      if (failures > 0) follower.onState?.("lost");
      await pause(PATIENCE[Math.min(failures, PATIENCE.length - 1)] ?? 0, stop.signal);
      failures += 1;
    }
  };
  void goOn();
  return () => {
    stop.abort();
    frame.drop();
  };
}

/** Gathers what comes within a frame. A page in the background has no frames, so there a clock does. */
function frameOf(onEvents: (events: LiveEvent[]) => void) {
  let gathered: LiveEvent[] = [];
  let isPlanned = false;
  const flush = () => {
    isPlanned = false;
    const events = gathered;
    gathered = [];
    if (events.length > 0) onEvents(events);
  };
  return {
    put(event: LiveEvent) {
      gathered.push(event);
      if (isPlanned) return;
      isPlanned = true;
      if (document.hidden) setTimeout(flush, 100);
      else requestAnimationFrame(flush);
    },
    flush,
    drop() {
      gathered = [];
    },
  };
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const timer = setTimeout(done, ms * (0.75 + Math.random() / 2));
    signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });

/** The same for a component; `null` follows nothing. The newest functions are called, without beginning anew. */
export function useStream(path: string | null, follower: Omit<Follower, "onState">): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const newest = useRef(follower);
  useEffect(() => {
    newest.current = follower;
  });
  useEffect(() => {
    if (path === null) return;
    return follow(path, {
      onEvents: (events) => newest.current.onEvents(events),
      onReset: () => newest.current.onReset?.(),
      onState: setState,
    });
  }, [path]);
  return state;
}
