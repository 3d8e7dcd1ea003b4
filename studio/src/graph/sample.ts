// What an expression in a node sees: data of the last run, or else the samples kept in the document. It feeds completion
// and previews. Must not know how expressions are written.
import { edgesOf, endpoint, nodeById, type WorkflowDocument } from "./document";
import { itemsOf, latestOf, type Item, type NodeRun, type RunView } from "./runStates";
import { netOf, reach, upstream } from "./walk";

/** In the shape in which a preview asks for it. */
export type Sample = {
  json: unknown;
  nodes: Record<string, unknown[]>;
  trigger?: unknown;
  contact?: unknown;
  conversation?: unknown;
  run?: unknown;
  workflow?: unknown;
  /** Where it comes from, for people. */
  source: "run" | "fixtures" | "none";
};

const jsonOf = (item: unknown): unknown =>
  typeof item === "object" && item !== null && "json" in item ? (item as Item).json : item;

const allOutput = (node: NodeRun): unknown[] =>
  Object.keys(node.output).flatMap((port) => itemsOf(node.output, port));

/** The json of what a node gave last, over all ports. */
function outputOf(document: WorkflowDocument, run: RunView | null, id: string, port?: string): unknown[] {
  const last = latestOf(run, id);
  const items = last ? (port ? itemsOf(last.output, port) : allOutput(last)) : [];
  const found = items.length ? items : last && port ? allOutput(last) : [];
  if (found.length) return found.map(jsonOf);
  const fixtures = document.fixtures?.[id];
  return fixtures ? fixtures.map(jsonOf) : eventOfTest(document, id);
}

/** The event with which a test starts this trigger. */
function eventOfTest(document: WorkflowDocument, id: string): unknown[] {
  const tests = (document.tests ?? []) as { node?: string; trigger?: unknown }[];
  const test = tests.find((entry) => entry.node === id && entry.trigger !== undefined);
  return test ? [test.trigger] : [];
}

/** What the node gets: from its own run, or from the nodes that lead to it. */
function inputOf(
  document: WorkflowDocument,
  run: RunView | null,
  id: string,
  seen = new Set<string>(),
): unknown[] {
  const own = latestOf(run, id);
  const given = own ? Object.keys(own.input).flatMap((port) => itemsOf(own.input, port)) : [];
  if (given.length) return given.map(jsonOf);
  seen.add(id);
  const before = edgesOf(document).filter((edge) => endpoint(edge.to).node === id);
  // A trigger sees the event itself.
  if (!before.length) return outputOf(document, run, id);
  for (const edge of before) {
    const { node, port } = endpoint(edge.from);
    const items = outputOf(document, run, node, port);
    if (items.length) return items;
  }
  // Of nodes that have not run, most hand on what they get.
  for (const edge of before) {
    const { node } = endpoint(edge.from);
    const items = seen.has(node) ? [] : inputOf(document, run, node, seen);
    if (items.length) return items;
  }
  return [];
}

export function sampleFor(document: WorkflowDocument, run: RunView | null, id: string): Sample {
  const before = upstream(document, id);
  before.delete(id);
  const nodes: Record<string, unknown[]> = {};
  for (const node of before) {
    const items = outputOf(document, run, node);
    if (items.length) nodes[node] = items;
  }
  const [json] = inputOf(document, run, id);
  const event = eventFor(document, run, id);
  const sample: Sample = { json, nodes, source: run ? "run" : "fixtures" };
  if (json === undefined) sample.source = "none";
  if (typeof event === "object" && event !== null) {
    const { contact, conversation } = event as { contact?: unknown; conversation?: unknown };
    Object.assign(sample, { trigger: event, contact, conversation });
  }
  if (run) sample.run = { id: run.id, started_at: run.started_at };
  sample.workflow = { id: run?.workflow_id ?? "", name: document.name };
  return sample;
}

/** What the trigger before this node was given. */
function eventFor(document: WorkflowDocument, run: RunView | null, id: string): unknown {
  const net = netOf(document);
  const before = reach(net.before, [id]);
  before.add(id);
  const begins = [...before].filter((node) => !net.before.get(node)?.length);
  const ran = begins.find((node) => latestOf(run, node)?.status === "succeeded");
  const [event] = (ran ?? begins[0]) ? outputOf(document, run, ran ?? begins[0] ?? "") : [];
  return event;
}

/** Whether there is such a node before this one: what `node("…")` may name. */
export const namesBefore = (document: WorkflowDocument, id: string): { id: string; label: string }[] =>
  [...upstream(document, id)]
    .filter((node) => node !== id)
    .map((node) => ({ id: node, label: nodeById(document, node)?.label ?? "" }));
