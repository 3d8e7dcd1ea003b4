// The document as what the canvas draws. Elements whose part of the document did not change stay the same objects, so
// that only what changed is drawn anew. Sizes and ports are told with each element, so the canvas measures none. Must not
// know React; the shapes are React Flow's.
import type { Edge, Node, NodeHandle, Position as Side } from "@xyflow/react";

import { annotationsOf, type Group, type Note } from "./annotations";
import { portsOfNode, type Catalogue, type NodeType, type Ports } from "./catalogue";
import {
  ERROR,
  edgeKey,
  edgesOf,
  endpoint,
  nameOf,
  type NodeDoc,
  type Position,
  type WorkflowDocument,
} from "./document";
import { portBoxes, sizeOf } from "./size";

export type StepData = { node: NodeDoc; type: NodeType | undefined; ports: Ports | null };
export type StepElement = Node<StepData, "step">;
export type NoteElement = Node<{ note: Note }, "note">;
export type GroupElement = Node<{ group: Group }, "group-frame">;
export type CanvasNode = StepElement | NoteElement | GroupElement;
export type CanvasEdge = Edge<{ error: boolean }, "way">;
export type Elements = { nodes: CanvasNode[]; edges: CanvasEdge[] };

const origin: Position = { x: 0, y: 0 };

export function elementsOf(
  document: WorkflowDocument,
  catalogue: Catalogue,
  before: Elements | null,
  places?: ReadonlyMap<string, Position>,
): Elements {
  const known = new Map(before?.nodes.map((node) => [node.id, node]));
  const { notes, groups } = annotationsOf(document);
  const nodes: CanvasNode[] = [
    ...groups.map((group) => groupElement(group, known.get(group.id))),
    ...document.nodes.map((node) => {
      const place = node.position ?? places?.get(node.id) ?? origin;
      return stepElement(node, place, catalogue, known.get(node.id));
    }),
    ...notes.map((note) => noteElement(note, known.get(note.id))),
  ];
  return { nodes, edges: edgeElements(document, before) };
}

function stepElement(
  node: NodeDoc,
  position: Position,
  catalogue: Catalogue,
  old: CanvasNode | undefined,
): StepElement {
  const kept = old?.type === "step" ? old : undefined;
  const isSameNode = kept?.data.node === node;
  if (kept && isSameNode && samePlace(kept.position, position)) return kept;
  const ports = portsOfNode(catalogue, node);
  const data = isSameNode ? kept.data : { node, type: catalogue.byType.get(node.type), ports };
  const size = sizeOf(ports);
  // Of an old element what the canvas noted (chosen or not) is kept.
  return {
    ...kept,
    ...size,
    measured: size,
    handles: kept && isSameNode ? kept.handles : handlesOf(ports),
    id: node.id,
    type: "step",
    ariaLabel: nameOf(node),
    position: { ...position },
    data,
  };
}

const handlesOf = (ports: Ports | null): NodeHandle[] =>
  portBoxes(ports).map(({ side, ...box }) => ({ ...box, position: side as Side }));

function noteElement(note: Note, old: CanvasNode | undefined): NoteElement {
  const kept = old?.type === "note" ? old : undefined;
  if (kept?.data.note === note && samePlace(kept.position, note.position)) return kept;
  return {
    ...kept,
    id: note.id,
    type: "note",
    position: { ...note.position },
    ...note.size,
    measured: note.size,
    handles: [],
    ariaLabel: "Note",
    data: { note },
    zIndex: 2,
  };
}

function groupElement(group: Group, old: CanvasNode | undefined): GroupElement {
  const kept = old?.type === "group-frame" ? old : undefined;
  if (kept?.data.group === group && samePlace(kept.position, group.position)) return kept;
  return {
    ...kept,
    id: group.id,
    type: "group-frame",
    position: { ...group.position },
    ...group.size,
    measured: group.size,
    handles: [],
    ariaLabel: `Group ${group.title}`,
    data: { group },
    zIndex: -1,
    dragHandle: ".group-title",
  };
}

const samePlace = (a: Position, b: Position) => a.x === b.x && a.y === b.y;

function edgeElements(document: WorkflowDocument, before: Elements | null): CanvasEdge[] {
  const known = new Map(before?.edges.map((edge) => [edge.id, edge]));
  const ids = new Set(document.nodes.map((node) => node.id));
  const edges: CanvasEdge[] = [];
  const seen = new Set<string>();
  for (const edge of edgesOf(document)) {
    const id = edgeKey(edge);
    const [from, to] = [endpoint(edge.from), endpoint(edge.to)];
    if (seen.has(id) || !ids.has(from.node) || !ids.has(to.node)) continue;
    seen.add(id);
    edges.push(
      known.get(id) ?? {
        id,
        type: "way",
        markerEnd: { type: "arrowclosed" as never, width: 16, height: 16, color: "var(--muted)" },
        source: from.node,
        target: to.node,
        sourceHandle: from.port,
        targetHandle: to.port,
        data: { error: from.port === ERROR },
        ariaLabel: `From ${edge.from} to ${edge.to}`,
      },
    );
  }
  return edges;
}
