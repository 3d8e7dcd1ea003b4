// What people do on the canvas, by mouse and by keys alike. Must not know events or components.
import { freeAnnotationId, isInside, putGroup, putNote, removeAnnotations } from "../graph/annotations";
import { initialParams, type NodeType } from "../graph/catalogue";
import { copyText, paste, placing, readPiece } from "../graph/clipboard";
import { canConnect, firstInput } from "../graph/connect";
import { MAIN, type Endpoint, type NodeDoc, type Position } from "../graph/document";
import { addNodes, connect, moveNodes, remove } from "../graph/edit";
import { portsOfNode } from "../graph/catalogue";
import { freeId, idFromLabel, takenIds } from "../graph/ids";
import { placesFor } from "../graph/layout";
import { beside, listedOutputs } from "../graph/size";
import { documentOf, edit, select, selection, type Builder } from "./store";

/** Adds a node and, when it can be, leads to it from another one. Answers its id. */
export function addNode(builder: Builder, type: NodeType, place: Position, from?: Endpoint): string {
  const { catalogue } = builder.getState();
  const id = freeId(idFromLabel(type.title), takenIds(documentOf(builder)));
  const node: NodeDoc = {
    id,
    type: type.type,
    version: type.version,
    label: type.title,
    position: { x: Math.round(place.x), y: Math.round(place.y) },
    params: initialParams(type),
  };
  edit(builder, (document) => {
    const next = addNodes(document, [node]);
    const found = from && firstInput(next, catalogue, from, id);
    return found && "to" in found ? connect(next, from, found.to) : next;
  });
  select(builder, [id]);
  return id;
}

/** Where a node that follows another one is put: beside it, below what is there already. */
export function placeAfter(builder: Builder, id: string): Position {
  const { nodes } = builder.getState().elements;
  const source = nodes.find((node) => node.id === id);
  const place = beside(source?.position ?? { x: 0, y: 0 });
  const isTaken = () =>
    nodes.some(
      (node) => Math.abs(node.position.x - place.x) < 200 && Math.abs(node.position.y - place.y) < 60,
    );
  while (isTaken()) place.y += 84;
  return place;
}

/** The first output of a node that leads nowhere yet, or its first. */
export function freeOutput(builder: Builder, id: string): Endpoint | undefined {
  const document = documentOf(builder);
  const node = document.nodes.find((entry) => entry.id === id);
  const ports = node && portsOfNode(builder.getState().catalogue, node);
  if (!ports) return undefined;
  const { edges } = builder.getState().elements;
  const isFree = (port: string) => !edges.some((edge) => edge.source === id && edge.sourceHandle === port);
  const outputs = listedOutputs(ports);
  const port = outputs.find((entry) => isFree(entry.name)) ?? outputs[0];
  return port && { node: id, port: port.name };
}

/** Connects two ports; answers why not when they cannot be. */
export function connectPorts(builder: Builder, from: Endpoint, to: Endpoint): string | null {
  const verdict = canConnect(documentOf(builder), builder.getState().catalogue, from, to);
  if (!verdict.ok) return verdict.reason;
  edit(builder, (document) => connect(document, from, to));
  return null;
}

/** Connects to whichever input of a node will do. */
export function connectToNode(builder: Builder, from: Endpoint, node: string): string | null {
  const found = firstInput(documentOf(builder), builder.getState().catalogue, from, node);
  if ("reason" in found) return found.reason;
  edit(builder, (document) => connect(document, from, found.to));
  return null;
}

export function removeSelected(builder: Builder): boolean {
  const { nodes, annotations, edges } = selection(builder);
  if (!nodes.size && !annotations.size && !edges.size) return false;
  edit(builder, (document) => removeAnnotations(remove(document, nodes, edges), annotations));
  return true;
}

/** The chosen nodes as text; null when none is chosen. */
export function copySelected(builder: Builder): string | null {
  const { nodes } = selection(builder);
  return nodes.size ? copyText(documentOf(builder), nodes) : null;
}

/** Adds what a text holds; false when it holds no nodes. */
export function pasteText(builder: Builder, text: string, middle?: Position): boolean {
  const piece = readPiece(text);
  if (!piece) return false;
  const pasted = paste(documentOf(builder), piece, placing(piece.nodes, middle));
  edit(builder, () => pasted.document);
  select(builder, pasted.ids);
  return true;
}

export function duplicateSelected(builder: Builder): void {
  const text = copySelected(builder);
  if (text) pasteText(builder, text);
}

/** Lays out what is chosen, or everything. */
export function layoutSelected(builder: Builder): void {
  const { nodes } = selection(builder);
  const { catalogue } = builder.getState();
  const only = nodes.size > 1 ? nodes : undefined;
  edit(builder, (document) => moveNodes(document, placesFor(document, catalogue, only)));
}

export function addNote(builder: Builder, position: Position): void {
  const id = freeAnnotationId(documentOf(builder), "note");
  const note = { id, text: "", position, size: { width: 200, height: 120 }, tint: "yellow" as const };
  edit(builder, (document) => putNote(document, note));
  select(builder, [id]);
}

/** Draws a frame around what is chosen; without that, an empty one. */
export function addGroup(builder: Builder, position: Position): void {
  const id = freeAnnotationId(documentOf(builder), "group");
  const chosen = builder.getState().elements.nodes.filter((node) => node.selected && node.type === "step");
  const frame = { position, size: { width: 320, height: 200 } };
  if (chosen.length) {
    const [left, top] = [
      Math.min(...chosen.map((node) => node.position.x)),
      Math.min(...chosen.map((node) => node.position.y)),
    ];
    const right = Math.max(...chosen.map((node) => node.position.x + (node.width ?? 0)));
    const bottom = Math.max(...chosen.map((node) => node.position.y + (node.height ?? 0)));
    frame.position = { x: left - 24, y: top - 48 };
    frame.size = { width: right - left + 48, height: bottom - top + 72 };
  }
  edit(builder, (document) => putGroup(document, { id, title: "Group", ...frame, tint: "blue" as const }));
  select(builder, [id]);
}

/** What moves along when a group is moved: everything whose middle lies in it. */
export function insideGroup(builder: Builder, id: string): string[] {
  const { nodes } = builder.getState().elements;
  const frame = nodes.find((node) => node.id === id);
  if (frame?.type !== "group-frame") return [];
  const middle = (node: (typeof nodes)[number]) => ({
    x: node.position.x + (node.width ?? 0) / 2,
    y: node.position.y + (node.height ?? 0) / 2,
  });
  return nodes
    .filter((node) => node.id !== id && isInside(frame.data.group, middle(node)))
    .map((node) => node.id);
}

export const outputOf = (handle: string | null | undefined) => handle ?? MAIN;
