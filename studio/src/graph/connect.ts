// Whether two ports may be connected, and if not, why, in words for people. The rules are the server's (see
// engine/src/graph/compile.rs), so that what can be drawn can be saved and published. Must not know the canvas.
import { portsOfNode, type Catalogue } from "./catalogue";
import { forbiddenCycles } from "./cycles";
import { connect } from "./edit";
import {
  edgeKey,
  edgesOf,
  endpointText,
  nameOf,
  nodeById,
  type Endpoint,
  type WorkflowDocument,
} from "./document";
import { downstream } from "./walk";

export type Verdict = { ok: true } | { ok: false; reason: string };

const no = (reason: string): Verdict => ({ ok: false, reason });

/** Whether an edge from an output to an input would be one that the server accepts. */
export function canConnect(
  document: WorkflowDocument,
  catalogue: Catalogue,
  from: Endpoint,
  to: Endpoint,
): Verdict {
  const [source, target] = [nodeById(document, from.node), nodeById(document, to.node)];
  if (!source) return no(`There is no node “${from.node}”.`);
  if (!target) return no(`There is no node “${to.node}”.`);
  const outputs = portsOfNode(catalogue, source)?.outputs;
  if (outputs && !outputs.some((port) => port.name === from.port))
    return no(`“${nameOf(source)}” has no output “${from.port}”.`);
  const inputs = portsOfNode(catalogue, target)?.inputs;
  if (inputs && inputs.length === 0)
    return no(`“${nameOf(target)}” starts the workflow; nothing can lead to it.`);
  if (inputs && !inputs.some((port) => port.name === to.port))
    return no(`“${nameOf(target)}” has no input “${to.port}”.`);
  const wanted = edgeKey({ from: endpointText(from), to: endpointText(to) });
  if (edgesOf(document).some((edge) => edgeKey(edge) === wanted))
    return no("These two are connected already.");
  return closesCycle(document, catalogue, from, to);
}

function closesCycle(
  document: WorkflowDocument,
  catalogue: Catalogue,
  from: Endpoint,
  to: Endpoint,
): Verdict {
  const isCycle = from.node === to.node || downstream(document, to.node).has(from.node);
  // An edge that closes no cycle can still open a second way into the body of a loop.
  const mayEnterLoop = document.nodes.some((node) => catalogue.byType.get(node.type)?.loop_entry);
  if (!isCycle && !mayEnterLoop) return { ok: true };
  const before = new Set(forbiddenCycles(document, catalogue).flat());
  const after = forbiddenCycles(connect(document, from, to), catalogue);
  const fresh = after.find((cycle) => cycle.some((id) => !before.has(id)));
  if (!fresh && !(isCycle && after.some((cycle) => cycle.includes(from.node) && cycle.includes(to.node))))
    return { ok: true };
  if (from.node === to.node) return no("A node cannot lead to itself, unless it is a loop.");
  return no(
    isCycle
      ? "This would close a cycle. Only an edge that returns to a loop may do that, and only when its body is entered through the loop alone."
      : "This would open a second way into the body of a loop; a loop's body is entered through the loop alone.",
  );
}

/** The first input of a node that an output may lead to, and otherwise why there is none. */
export function firstInput(
  document: WorkflowDocument,
  catalogue: Catalogue,
  from: Endpoint,
  node: string,
): { to: Endpoint } | { reason: string } {
  const target = nodeById(document, node);
  const ports = target && portsOfNode(catalogue, target)?.inputs;
  let reason = "";
  for (const port of ports?.length ? ports : [{ name: "main" }]) {
    const to = { node, port: port.name };
    const verdict = canConnect(document, catalogue, from, to);
    if (verdict.ok) return { to };
    reason ||= verdict.reason;
  }
  return { reason };
}
