// Two people's changes of one draft brought together. What only one of them changed is taken; where both changed the same
// part differently, someone must choose. Nothing is dropped silently. Must not know how it is asked.
import type { WorkflowDocument } from "./document";
import { changeOf, type Change } from "./diff";
import { edgesOf, endpoint } from "./document";
import { assemble, partsOf, type Part } from "./parts";
import { isSame } from "./pointer";

export type Side = "mine" | "theirs";

/** A part that both changed, each in another way. Undefined stands for a part that was removed. */
export type Clash = { key: string; title: string; mine: Change | null; theirs: Change | null };

export type Merge = { mine: Change[]; theirs: Change[]; clashes: Clash[] };

/** What each side changed since they were the same. */
export function compare(base: WorkflowDocument, mine: WorkflowDocument, theirs: WorkflowDocument): Merge {
  const all = [partsOf(base), partsOf(mine), partsOf(theirs)] as const;
  const [old, here, there] = all;
  const merge: Merge = { mine: [], theirs: [], clashes: [] };
  for (const key of new Set(all.flatMap((parts) => [...parts.keys()]))) {
    const [my] = changeOf(old.get(key), here.get(key));
    const [their] = changeOf(old.get(key), there.get(key));
    if (my) merge.mine.push(my);
    if (their) merge.theirs.push(their);
    if (my && their && !isSame(here.get(key)?.value, there.get(key)?.value))
      merge.clashes.push({ key, title: my.title, mine: my, theirs: their });
  }
  return merge;
}

/** Both sides' changes on top of theirs; clashes go as chosen, and as mine where nobody chose. */
export function merged(
  base: WorkflowDocument,
  mine: WorkflowDocument,
  theirs: WorkflowDocument,
  choices: ReadonlyMap<string, Side>,
): WorkflowDocument {
  const [old, here, there] = [partsOf(base), partsOf(mine), partsOf(theirs)];
  const parts = new Map<string, Part>(there);
  for (const key of new Set([...old.keys(), ...here.keys()])) {
    const changed = !isSame(old.get(key)?.value, here.get(key)?.value) || old.has(key) !== here.has(key);
    if (!changed || choices.get(key) === "theirs") continue;
    const part = here.get(key);
    if (part) parts.set(key, part);
    else parts.delete(key);
  }
  return withoutLooseEdges(assemble(parts, theirs));
}

/** One side may have removed a node to which the other drew an edge. */
function withoutLooseEdges(document: WorkflowDocument): WorkflowDocument {
  const ids = new Set(document.nodes.map((node) => node.id));
  const edges = edgesOf(document);
  const held = edges.filter((edge) => ids.has(endpoint(edge.from).node) && ids.has(endpoint(edge.to).node));
  return held.length === edges.length ? document : { ...document, edges: held };
}
