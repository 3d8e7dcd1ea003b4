// Usage as the API tells it, made into what a chart shows. Must not know React or charts.
import type { Schema } from "../api/client";

export type Usage = Schema<"UsageView">;
/** One bar: the pieces of an interval by kind. */
export type Bar = { at: number; quantities: Record<string, number> };

const DAY = 86_400_000;

/** Every kind that occurs, the most used first. */
export function kindsOf(items: Usage[]): string[] {
  const sums = new Map<string, number>();
  for (const { kind, quantity } of items) sums.set(kind, (sums.get(kind) ?? 0) + quantity);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([kind]) => kind);
}

/** A bar for every day, also for those on which nothing was used. Days are those of UTC, as the API counts. */
export function barsOf(items: Usage[], from: number, to: number): Bar[] {
  const bars: Bar[] = [];
  for (let at = Math.floor(from / DAY) * DAY; at <= to; at += DAY) bars.push({ at, quantities: {} });
  const byDay = new Map(bars.map((bar) => [bar.at, bar]));
  for (const { at, kind, quantity } of items) {
    const bar = byDay.get(Math.floor(at / DAY) * DAY);
    if (bar) bar.quantities[kind] = (bar.quantities[kind] ?? 0) + quantity;
  }
  return bars;
}

/** The sum of each thing that is told apart, the largest first. Workflows are known by their ids: `names` says what people
 * call them. */
export function sumsOf(
  items: Usage[],
  names: ReadonlyMap<string, string> = new Map(),
): { kind: string; of: string; quantity: number }[] {
  const sums = new Map<string, { kind: string; of: string; quantity: number }>();
  for (const { kind, attributes, quantity } of items) {
    const of = Object.values(attributes)
      .map((value) => names.get(String(value)) ?? String(value))
      .join(", ");
    const key = `${kind} ${of}`;
    const sum = sums.get(key) ?? { kind, of, quantity: 0 };
    sum.quantity += quantity;
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.quantity - a.quantity);
}
