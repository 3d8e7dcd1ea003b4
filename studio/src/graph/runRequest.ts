// What a test run is asked to do: which trigger, which event, which nodes give a kept answer in place of running. Must
// not know how it is sent.
import { isTrigger, type Catalogue } from "./catalogue";
import { MAIN, type NodeDoc, type WorkflowDocument } from "./document";
import { itemsOf, type Item, type NodeRun, type RunView } from "./runStates";
import { downstream, netOf } from "./walk";

/** Items that a node gives in place of running: at `main`, or by port. */
export type Pin = unknown[] | Record<string, unknown[]>;
export type Pins = Record<string, Pin>;

export const triggersOf = (document: WorkflowDocument, catalogue: Catalogue): NodeDoc[] =>
  document.nodes.filter((node) => isTrigger(catalogue.byType.get(node.type)) && !node.disabled);

/** The event that a trigger is tried with: a kept sample, a test's event, what it last got, or the catalogue's example. */
export function eventFor(
  document: WorkflowDocument,
  catalogue: Catalogue,
  trigger: NodeDoc,
  run: RunView | null,
): unknown {
  const [fixture] = document.fixtures?.[trigger.id] ?? [];
  if (fixture !== undefined) return bare(fixture);
  const last = run?.nodes.find((node) => node.id === trigger.id && node.status === "succeeded");
  const [item] = last ? itemsOf(last.output, MAIN) : [];
  if (item) return item.json;
  const tests = (document.tests ?? []) as { node?: string; trigger?: unknown }[];
  const isFirst = triggersOf(document, catalogue)[0]?.id === trigger.id;
  const test = tests.find((entry) => (entry.node === undefined ? isFirst : entry.node === trigger.id));
  if (test?.trigger !== undefined) return test.trigger;
  const examples = (catalogue.byType.get(trigger.type)?.examples ?? []) as { input?: unknown[] }[];
  return examples.find((example) => example.input?.length)?.input?.[0] ?? {};
}

const bare = (item: unknown): unknown =>
  typeof item === "object" && item !== null && "json" in item ? (item as Item).json : item;

/** Pins with which a run begins at a node: what is before it, or beside it, gives again what it gave in `run`. */
export function pinsToRunFrom(document: WorkflowDocument, run: RunView, id: string): Pins {
  const again = downstream(document, id);
  again.add(id);
  const { before } = netOf(document);
  const pins: Pins = {};
  for (const node of run.nodes) {
    // A trigger is not pinned: it is what the run begins with.
    if (node.status !== "succeeded" || again.has(node.id) || !before.get(node.id)?.length) continue;
    const pin = pinOf(node);
    if (pin) pins[node.id] = pin;
  }
  return pins;
}

/** What a node gave, as it would give it again; null when it gave nothing. */
export function pinOf(node: NodeRun): Pin | null {
  const ports = Object.keys(node.output).filter((port) => itemsOf(node.output, port).length);
  const items = (port: string) => itemsOf(node.output, port).map((item) => ({ json: item.json }));
  if (!ports.length) return null;
  if (ports.length === 1 && ports[0] === MAIN) return items(MAIN);
  return Object.fromEntries(ports.map((port) => [port, items(port)]));
}
