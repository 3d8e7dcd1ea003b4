// Undo and redo. Changes that belong together (typing in one field, moving with the arrow keys) are one step. Must not
// know what is kept.

export type History<T> = {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last change was about, and when; the next one like it joins it. */
  readonly last: { key: string; at: number } | null;
};

/** How many steps can be undone. */
const KEPT = 200;
/** Changes of one kind that follow each other this fast are one step, in milliseconds. */
const TOGETHER = 1_000;

export const historyOf = <T>(present: T): History<T> => ({ past: [], present, future: [], last: null });

/** A change. With a `key`, changes of the same key in quick succession are one step. */
export function change<T>(history: History<T>, next: T, now: number, key?: string): History<T> {
  if (next === history.present) return history;
  const joins = key !== undefined && history.last?.key === key && now - history.last.at < TOGETHER;
  return {
    past: joins ? history.past : [...history.past, history.present].slice(-KEPT),
    present: next,
    future: [],
    last: key === undefined ? null : { key, at: now },
  };
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    last: null,
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.present], present: after, future, last: null };
}
