// Node ids: made from what people write, never twice the same. Must not know node types.
import type { WorkflowDocument } from "./document";

const LONGEST = 64;
const ID = /^[a-z][a-z0-9_-]{0,63}$/;

export const isNodeId = (text: string) => ID.test(text);

/** An id that reads like the label: `Grüße senden!` becomes `gruse-senden`. */
export function idFromLabel(label: string): string {
  const plain = label.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll("ß", "ss").toLowerCase();
  const id = plain.replaceAll(/[^a-z0-9_]+/g, "-").replaceAll(/^[^a-z]+|-+$/g, "");
  return id.slice(0, LONGEST).replace(/-+$/, "") || "node";
}

/** The same id, or the same with a number when it is taken. */
export function freeId(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    const suffix = `-${number}`;
    const id = wanted.slice(0, LONGEST - suffix.length) + suffix;
    if (!taken.has(id)) return id;
  }
}

export const takenIds = (document: WorkflowDocument) => new Set(document.nodes.map((node) => node.id));
