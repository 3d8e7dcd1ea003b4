// A moment, told from now, with the exact time when it is pointed at. All of them share one clock.
import { useSyncExternalStore } from "react";

import { ago, exactTime } from "./time";

const listeners = new Set<() => void>();
let now = Date.now();
let ticking: ReturnType<typeof setInterval> | undefined;

const tick = () => {
  now = Date.now();
  for (const listener of listeners) listener();
};

function subscribe(listener: () => void) {
  listeners.add(listener);
  ticking ??= setInterval(tick, 15_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The time of now, as of the last quarter of a minute, or the newest of what is shown. */
export const useNow = () => useSyncExternalStore(subscribe, () => now);

export function Time({ at, fallback = "–" }: { at: number | null | undefined; fallback?: string }) {
  const known = useNow();
  if (at == null) return <span className="text-muted">{fallback}</span>;
  // What has just happened would otherwise lie ahead of a clock that ticks seldom.
  const moment = at > known && at - known < 15_000 ? Math.max(known, Date.now()) : known;
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)} className="whitespace-nowrap">
      {ago(at, moment)}
    </time>
  );
}
