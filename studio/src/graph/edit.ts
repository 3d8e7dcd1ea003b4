// Changes of a document, each a function from document to document. What is not concerned stays the same object, in the
// same place, so that saved files do not reshuffle. Must not know the canvas or React.
import {
  edgeKey,
  edgesOf,
  endpoint,
  endpointText,
  type EdgeDoc,
  type Endpoint,
  type NodeDoc,
  type Position,
  type WorkflowDocument,
} from "./document";
import { renameReferences } from "./references";

export const addNodes = (
  document: WorkflowDocument,
  nodes: NodeDoc[],
  edges: EdgeDoc[] = [],
): WorkflowDocument => ({
  ...document,
  nodes: [...document.nodes, ...nodes],
  edges: edges.length ? [...edgesOf(document), ...edges] : edgesOf(document),
});

export const connect = (document: WorkflowDocument, from: Endpoint, to: Endpoint): WorkflowDocument => ({
  ...document,
  edges: [...edgesOf(document), { from: endpointText(from), to: endpointText(to) }],
});

/** Without these nodes, their edges, and these edges. */
export function remove(
  document: WorkflowDocument,
  nodes: ReadonlySet<string>,
  edges: ReadonlySet<string> = new Set(),
): WorkflowDocument {
  const stays = (edge: EdgeDoc) =>
    !nodes.has(endpoint(edge.from).node) && !nodes.has(endpoint(edge.to).node) && !edges.has(edgeKey(edge));
  const next: WorkflowDocument = {
    ...document,
    nodes: document.nodes.filter((node) => !nodes.has(node.id)),
    edges: edgesOf(document).filter(stays),
  };
  if (document.fixtures && Object.keys(document.fixtures).some((id) => nodes.has(id))) {
    next.fixtures = Object.fromEntries(Object.entries(document.fixtures).filter(([id]) => !nodes.has(id)));
  }
  return next;
}

/** Changes one node; fields set to undefined are left out. */
export function patchNode(document: WorkflowDocument, id: string, patch: Partial<NodeDoc>): WorkflowDocument {
  return {
    ...document,
    nodes: document.nodes.map((node) => (node.id === id ? withoutUndefined({ ...node, ...patch }) : node)),
  };
}

export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

/** Puts nodes in other places; whole pixels, because fractions only make noise in files. */
export function moveNodes(
  document: WorkflowDocument,
  places: ReadonlyMap<string, Position>,
): WorkflowDocument {
  let moved = false;
  const nodes = document.nodes.map((node) => {
    const place = places.get(node.id);
    if (!place) return node;
    const position = { x: Math.round(place.x), y: Math.round(place.y) };
    if (node.position && node.position.x === position.x && node.position.y === position.y) return node;
    moved = true;
    return { ...node, position };
  });
  return moved ? { ...document, nodes } : document;
}

/** Gives a node another id, everywhere: in edges, in expressions of all nodes, in fixtures and tests. */
export function renameNode(document: WorkflowDocument, from: string, to: string): WorkflowDocument {
  const end = (text: string) => {
    const read = endpoint(text);
    return read.node === from ? endpointText({ node: to, port: read.port }) : text;
  };
  const names = new Map([[from, to]]);
  const edge = (old: EdgeDoc): EdgeDoc => {
    const [source, target] = [end(old.from), end(old.to)];
    return source === old.from && target === old.to ? old : { ...old, from: source, to: target };
  };
  const next: WorkflowDocument = {
    ...document,
    nodes: document.nodes.map((node) => {
      const params = renameReferences(node.params, names);
      if (node.id !== from) return params === node.params ? node : { ...node, params };
      return { ...node, id: to, params };
    }),
    edges: edgesOf(document).map(edge),
  };
  if (document.fixtures) next.fixtures = renameKeys(document.fixtures, from, to);
  if (document.tests) next.tests = document.tests.map((test) => renameInTest(test, from, to));
  if (document.settings) next.settings = renameReferences(document.settings, names);
  return next;
}

const renameKeys = <T>(record: Record<string, T>, from: string, to: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key === from ? to : key, value]));

/** Tests name nodes in fixed places only; what they send and expect is data and stays. */
function renameInTest(test: unknown, from: string, to: string): unknown {
  if (typeof test !== "object" || test === null) return test;
  const list = (value: unknown) =>
    Array.isArray(value) ? value.map((id: unknown) => (id === from ? to : id)) : value;
  const expect = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const old = value as Record<string, unknown>;
    const next: Record<string, unknown> = { ...old };
    for (const key of ["ran", "skipped", "waiting"]) if (key in old) next[key] = list(old[key]);
    if (old.failed_node === from) next.failed_node = to;
    if (typeof old.output === "object" && old.output)
      next.output = renameKeys(old.output as object as never, from, to);
    return next;
  };
  const old = test as Record<string, unknown>;
  const next: Record<string, unknown> = { ...old };
  if (old.node === from) next.node = to;
  if (typeof old.pins === "object" && old.pins) next.pins = renameKeys(old.pins as object as never, from, to);
  if ("expect" in old) next.expect = expect(old.expect);
  if (Array.isArray(old.steps))
    next.steps = old.steps.map((step: unknown) =>
      typeof step === "object" && step && "expect" in step ? { ...step, expect: expect(step.expect) } : step,
    );
  return next;
}
