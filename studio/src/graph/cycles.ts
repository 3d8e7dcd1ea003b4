// Which cycles a workflow may not have: the same rules as the server's (engine/src/graph/loops.rs). A cycle is fine when
// it returns to a loop entry through which alone its body can be entered. Must not know the canvas.
import { edgesOf, endpoint, type WorkflowDocument } from "./document";
import { isTrigger, type Catalogue } from "./catalogue";
import { netOf, reach, type Net } from "./walk";

type Link = { from: string; to: string };

/** Cycles that no run could ever get out of, each as the ids of its nodes. */
export function forbiddenCycles(document: WorkflowDocument, catalogue: Catalogue): string[][] {
  const net = netOf(document);
  const links: Link[] = edgesOf(document).map((edge) => ({
    from: endpoint(edge.from).node,
    to: endpoint(edge.to).node,
  }));
  const entries = new Set(
    document.nodes.filter((node) => catalogue.byType.get(node.type)?.loop_entry).map((node) => node.id),
  );
  const ids = document.nodes.map((node) => node.id);
  const around = new Map([...entries].map((entry) => [entry, reachWithout(net, entry)]));
  const returns = (link: Link) =>
    entries.has(link.to) && (link.from === link.to || around.get(link.to)?.has(link.from));
  const plain = cyclesOf(
    ids,
    links.filter((link) => !returns(link)),
  );
  if (plain.length || !entries.size) return plain;
  const dominated = dominance(document, catalogue, net, entries);
  const isBack = (link: Link) =>
    entries.has(link.to) && (link.from === link.to || dominated(link.to, link.from));
  return cyclesOf(
    ids,
    links.filter((link) => !isBack(link)),
  );
}

/** Everything after a loop entry, up to where it comes back to it. */
function reachWithout(net: Net, entry: string): Set<string> {
  const after = new Map(net.after);
  const starts = net.after.get(entry) ?? [];
  after.delete(entry);
  const found = reach(after, starts);
  for (const start of starts) found.add(start);
  return found;
}

/** Whether a node can be reached only through an entry, from wherever a run may begin. */
function dominance(document: WorkflowDocument, catalogue: Catalogue, net: Net, entries: ReadonlySet<string>) {
  const begins = document.nodes
    .filter((node) => isTrigger(catalogue.byType.get(node.type)) || !net.before.get(node.id)?.length)
    .map((node) => node.id);
  const reached = reach(net.after, begins);
  for (const begin of begins) reached.add(begin);
  // A loop that is not connected yet is a loop all the same.
  for (const entry of entries)
    if (!reached.has(entry)) {
      begins.push(entry);
      reached.add(entry);
      for (const node of reach(net.after, [entry])) reached.add(node);
    }
  const open = new Map<string, Set<string>>();
  return (entry: string, node: string) => {
    let free = open.get(entry);
    if (!free) {
      const after = new Map(net.after);
      after.delete(entry);
      const starts = begins.filter((begin) => begin !== entry);
      free = reach(after, starts);
      for (const start of starts) free.add(start);
      open.set(entry, free);
    }
    return !free.has(node);
  };
}

/** Strongly connected parts that are cycles (Tarjan's way, without recursion: workflows may be long chains). */
function cyclesOf(ids: string[], links: Link[]): string[][] {
  const after = new Map<string, string[]>();
  const self = new Set<string>();
  for (const { from, to } of links) {
    if (from === to) self.add(from);
    const list = after.get(from);
    if (list) list.push(to);
    else after.set(from, [to]);
  }
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const found: string[][] = [];
  for (const root of ids) {
    if (index.has(root)) continue;
    const open: { node: string; next: number }[] = [];
    const enter = (node: string) => {
      index.set(node, index.size);
      low.set(node, index.size - 1);
      stack.push(node);
      onStack.add(node);
      open.push({ node, next: 0 });
    };
    enter(root);
    for (let frame = open.at(-1); frame; frame = open.at(-1)) {
      const { node } = frame;
      const to = after.get(node)?.[frame.next];
      frame.next += 1;
      if (to !== undefined) {
        if (!index.has(to)) enter(to);
        else if (onStack.has(to)) low.set(node, Math.min(low.get(node) ?? 0, index.get(to) ?? 0));
        continue;
      }
      open.pop();
      const parent = open.at(-1)?.node;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) ?? 0, low.get(node) ?? 0));
      if (low.get(node) !== index.get(node)) continue;
      const part = stack.splice(stack.lastIndexOf(node));
      for (const member of part) onStack.delete(member);
      if (part.length > 1 || self.has(node)) found.push(part);
    }
  }
  return found;
}
