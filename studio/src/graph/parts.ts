// A document taken apart into named parts (a node, an edge, one setting, one test), and put together again: what diffs
// and merges compare. Must not know the canvas.
import { edgeKey, edgesOf, nameOf, type EdgeDoc, type NodeDoc, type WorkflowDocument } from "./document";

export type PartKind = "node" | "edge" | "setting" | "fixture" | "test" | "annotation" | "other";
export type Part = { key: string; kind: PartKind; title: string; value: unknown };

/** Fields whose own fields are parts of their own. */
const OPENED: Partial<Record<string, PartKind>> = {
  settings: "setting",
  fixtures: "fixture",
  canvas: "annotation",
};

export function partsOf(document: WorkflowDocument): Map<string, Part> {
  const parts = new Map<string, Part>();
  const put = (part: Part) => parts.set(part.key, part);
  for (const [field, value] of Object.entries(document)) {
    if (field === "nodes" || field === "edges") continue;
    const kind = OPENED[field];
    if (field === "tests" && Array.isArray(value)) {
      value.forEach((test: unknown, place) => {
        const name = (test as { name?: unknown } | null)?.name;
        const title = typeof name === "string" ? name : `Test ${place + 1}`;
        let key = `tests/${title}`;
        while (parts.has(key)) key += "'";
        put({ key, kind: "test", title, value: test });
      });
    } else if (kind && typeof value === "object" && value !== null) {
      for (const [key, entry] of Object.entries(value))
        put({ key: `${field}/${key}`, kind, title: key, value: entry });
    } else put({ key: field, kind: "other", title: field, value });
  }
  for (const node of document.nodes)
    put({ key: `nodes/${node.id}`, kind: "node", title: nameOf(node), value: node });
  for (const edge of edgesOf(document)) {
    const title = `${edge.from} → ${edge.to}`;
    put({ key: `edges/${edgeKey(edge)}`, kind: "edge", title, value: edge });
  }
  return parts;
}

/** Puts parts together. `order` is the document whose order of fields, nodes and edges counts; new ones come last. */
export function assemble(parts: ReadonlyMap<string, Part>, order: WorkflowDocument): WorkflowDocument {
  const document: Record<string, unknown> = {};
  const keys = [...partsOf(order).keys(), ...parts.keys()];
  for (const field of Object.keys(order)) document[field] = undefined;
  const nodes: NodeDoc[] = [];
  const edges: EdgeDoc[] = [];
  const tests: unknown[] = [];
  for (const key of new Set(keys)) {
    const part = parts.get(key);
    if (!part) continue;
    const slash = key.indexOf("/");
    const field = slash < 0 ? key : key.slice(0, slash);
    if (part.kind === "node") nodes.push(part.value as NodeDoc);
    else if (part.kind === "edge") edges.push(part.value as EdgeDoc);
    else if (part.kind === "test") tests.push(part.value);
    else if (slash < 0) document[field] = part.value;
    else document[field] = { ...(document[field] as object | undefined), [key.slice(slash + 1)]: part.value };
  }
  document.nodes = nodes;
  document.edges = edges;
  if (tests.length) document.tests = tests;
  return Object.fromEntries(
    Object.entries(document).filter(([, value]) => value !== undefined),
  ) as WorkflowDocument;
}
