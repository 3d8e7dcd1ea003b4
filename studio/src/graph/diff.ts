// What is different between two documents, part by part and place by place, for comparing versions and conflicts. Must
// not know how it is shown.
import type { WorkflowDocument } from "./document";
import { partsOf, type Part, type PartKind } from "./parts";
import { isSame, pointerOf } from "./pointer";

/** One place inside a part: undefined means that nothing is there. */
export type Detail = { path: string; before: unknown; after: unknown };

export type Change = {
  key: string;
  kind: PartKind;
  title: string;
  what: "added" | "removed" | "changed" | "moved";
  details: Detail[];
};

export function diff(before: WorkflowDocument, after: WorkflowDocument): Change[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const keys = new Set([...now.keys(), ...old.keys()]);
  return [...keys].flatMap((key) => changeOf(old.get(key), now.get(key)));
}

/** What became of one part. */
export function changeOf(before: Part | undefined, after: Part | undefined): Change[] {
  const part = after ?? before;
  if (!part) return [];
  const { key, kind, title } = part;
  if (!before) return [{ key, kind, title, what: "added", details: [] }];
  if (!after) return [{ key, kind, title, what: "removed", details: [] }];
  if (isSame(before.value, after.value)) return [];
  const details = kind === "edge" ? [] : detailsOf(before.value, after.value);
  if (kind === "edge") return [];
  const moved = kind === "node" && details.every((detail) => detail.path.startsWith("/position"));
  return [{ key, kind, title, what: moved ? "moved" : "changed", details }];
}

/** The places that differ; lists and texts are compared whole when their lengths differ. */
export function detailsOf(before: unknown, after: unknown, steps: (string | number)[] = []): Detail[] {
  if (isSame(before, after)) return [];
  const both = [before, after].every((value) => typeof value === "object" && value !== null);
  const lists = [before, after].filter(Array.isArray).length;
  const sameLists = lists === 2 && (before as unknown[]).length === (after as unknown[]).length;
  if (!both || lists === 1 || (lists === 2 && !sameLists)) return [{ path: pointerOf(steps), before, after }];
  const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].flatMap((key) => detailsOf(old[key], now[key], [...steps, key]));
}
