// Automatic layout, from left to right. Must not know how nodes are drawn, only how large.
import { graphlib, layout } from "@dagrejs/dagre";

import { portsOfNode, type Catalogue } from "./catalogue";
import { edgesOf, endpoint, type Position, type WorkflowDocument } from "./document";
import { sizeOf } from "./size";

/** Places for these nodes (all when none are named); the top left corner of the whole stays where it was. */
export function placesFor(
  document: WorkflowDocument,
  catalogue: Catalogue,
  only?: ReadonlySet<string>,
): Map<string, Position> {
  const nodes = document.nodes.filter((node) => !only || only.has(node.id));
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 84, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { ...sizeOf(portsOfNode(catalogue, node)) });
  for (const edge of edgesOf(document)) {
    const [from, to] = [endpoint(edge.from).node, endpoint(edge.to).node];
    if (from !== to && graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to);
  }
  layout(graph);
  const corner = cornerOf(nodes.flatMap((node) => (node.position ? [node.position] : [])));
  const laid = nodes.map((node) => {
    const { x, y, width, height } = graph.node(node.id) as {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    return [node.id, { x: x - width / 2, y: y - height / 2 }] as const;
  });
  const shift = cornerOf(laid.map(([, place]) => place));
  return new Map(
    laid.map(([id, place]) => [
      id,
      { x: Math.round(place.x - shift.x + corner.x), y: Math.round(place.y - shift.y + corner.y) },
    ]),
  );
}

function cornerOf(places: Position[]): Position {
  if (!places.length) return { x: 0, y: 0 };
  return { x: Math.min(...places.map((place) => place.x)), y: Math.min(...places.map((place) => place.y)) };
}

/** Documents written by hand have no places: those nodes get one, the others stay. */
export function placeAll(document: WorkflowDocument, catalogue: Catalogue): Map<string, Position> {
  const missing = document.nodes.filter((node) => !node.position);
  if (!missing.length) return new Map();
  if (missing.length === document.nodes.length) return placesFor(document, catalogue);
  const places = placesFor(document, catalogue, new Set(missing.map((node) => node.id)));
  const bottom = Math.max(...document.nodes.flatMap((node) => (node.position ? [node.position.y] : [])));
  const left = Math.min(...document.nodes.flatMap((node) => (node.position ? [node.position.x] : [])));
  return new Map([...places].map(([id, place]) => [id, { x: place.x + left, y: place.y + bottom + 160 }]));
}
