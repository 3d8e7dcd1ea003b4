// Copy and paste as JSON text, so that nodes can be carried between workflows, windows and files. Must not know the
// browser's clipboard.
import { jsonText, parseJson } from "../json";
import { addNodes } from "./edit";
import {
  edgesOf,
  endpoint,
  endpointText,
  type EdgeDoc,
  type NodeDoc,
  type Position,
  type WorkflowDocument,
} from "./document";
import { freeId, isNodeId, takenIds } from "./ids";
import { renameReferences } from "./references";

/** What stands on the clipboard: a piece of a workflow document. */
type Piece = { sluice: 1; nodes: NodeDoc[]; edges: EdgeDoc[] };

/** The named nodes and the edges between them. */
export function copyText(document: WorkflowDocument, ids: ReadonlySet<string>): string {
  const inside = (end: string) => ids.has(endpoint(end).node);
  const piece: Piece = {
    sluice: 1,
    nodes: document.nodes.filter((node) => ids.has(node.id)),
    edges: edgesOf(document).filter((edge) => inside(edge.from) && inside(edge.to)),
  };
  return jsonText(piece, 2);
}

/** Reads a piece, or a whole document; null when the text is neither. */
export function readPiece(text: string): { nodes: NodeDoc[]; edges: EdgeDoc[] } | null {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return null;
  }
  const piece = value as Partial<Piece> | null;
  if (typeof piece !== "object" || piece?.sluice !== 1 || !Array.isArray(piece.nodes)) return null;
  const nodes = piece.nodes.filter((node) => typeof node?.id === "string" && typeof node.type === "string");
  const edges = Array.isArray(piece.edges) ? piece.edges : [];
  return nodes.length
    ? { nodes, edges: edges.filter((edge) => typeof edge?.from === "string" && typeof edge.to === "string") }
    : null;
}

/** Adds a piece; ids that are taken get a number, and what refers to them inside the piece follows. */
export function paste(
  document: WorkflowDocument,
  piece: { nodes: NodeDoc[]; edges: EdgeDoc[] },
  place: (position: Position) => Position,
): { document: WorkflowDocument; ids: string[] } {
  const taken = takenIds(document);
  const names = new Map<string, string>();
  for (const node of piece.nodes) {
    const id = freeId(isNodeId(node.id) ? node.id : "node", taken);
    taken.add(id);
    names.set(node.id, id);
  }
  const nodes = piece.nodes.map((node): NodeDoc => ({
    ...renameReferences(node, names),
    id: names.get(node.id) ?? node.id,
    params: renameReferences(node.params ?? {}, names),
    position: place(node.position ?? { x: 0, y: 0 }),
  }));
  const end = (text: string): string | null => {
    const read = endpoint(text);
    const node = names.get(read.node);
    return node === undefined ? null : endpointText({ node, port: read.port });
  };
  const edges = piece.edges.flatMap((edge) => {
    const [from, to] = [end(edge.from), end(edge.to)];
    return from && to ? [{ ...edge, from, to }] : [];
  });
  return { document: addNodes(document, nodes, edges), ids: [...names.values()] };
}

/** Puts a piece around a point; with no point, a little away from where it was. */
export function placing(nodes: NodeDoc[], middle?: Position): (position: Position) => Position {
  if (!middle) return ({ x, y }) => ({ x: Math.round(x + 40), y: Math.round(y + 40) });
  const places = nodes.map((node) => node.position ?? { x: 0, y: 0 });
  const mid = (numbers: number[]) => (Math.min(...numbers) + Math.max(...numbers)) / 2;
  const shift = {
    x: middle.x - mid(places.map((place) => place.x)),
    y: middle.y - mid(places.map((place) => place.y)),
  };
  return ({ x, y }) => ({ x: Math.round(x + shift.x), y: Math.round(y + shift.y) });
}
