// Ways through the graph: neighbours, everything before and after a node. Must not know node types or the canvas.
import { edgesOf, endpoint, type WorkflowDocument } from "./document";

/** Targets by source and sources by target, in the order of the edges. */
export type Net = { after: Map<string, string[]>; before: Map<string, string[]> };

export function netOf(document: WorkflowDocument): Net {
  const net: Net = { after: new Map(), before: new Map() };
  for (const edge of edgesOf(document)) {
    const [from, to] = [endpoint(edge.from).node, endpoint(edge.to).node];
    push(net.after, from, to);
    push(net.before, to, from);
  }
  return net;
}

function push(map: Map<string, string[]>, key: string, value: string) {
  const list = map.get(key);
  if (!list) map.set(key, [value]);
  else if (!list.includes(value)) list.push(value);
}

/** Everything that can be reached from `starts`, which are not in it unless a way leads back. Nearest first. */
export function reach(ways: ReadonlyMap<string, string[]>, starts: Iterable<string>): Set<string> {
  const found = new Set<string>();
  let open = [...starts];
  while (open.length) {
    const next: string[] = [];
    for (const node of open)
      for (const other of ways.get(node) ?? [])
        if (!found.has(other)) {
          found.add(other);
          next.push(other);
        }
    open = next;
  }
  return found;
}

export const upstream = (document: WorkflowDocument, id: string) => reach(netOf(document).before, [id]);
export const downstream = (document: WorkflowDocument, id: string) => reach(netOf(document).after, [id]);

/** The nodes that lie before or after another one, for moving the focus along edges. */
export function neighbours(document: WorkflowDocument, id: string, side: "before" | "after"): string[] {
  return netOf(document)[side].get(id) ?? [];
}

/** Other nodes that have the same neighbour, in the order of the edges: where the focus moves up and down to. */
export function siblings(document: WorkflowDocument, id: string): string[] {
  const net = netOf(document);
  const [parent] = net.before.get(id) ?? [];
  if (parent !== undefined) return net.after.get(parent) ?? [id];
  const roots = document.nodes.map((node) => node.id).filter((node) => !net.before.get(node)?.length);
  return roots.includes(id) ? roots : [id];
}
