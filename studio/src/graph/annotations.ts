// Notes and groups: what only the builder shows, kept in the document's `canvas`. Whatever else stands there is left
// alone. Must not know nodes beyond their places.
import type { Position, WorkflowDocument } from "./document";

export type Size = { width: number; height: number };
export type Tint = "plain" | "yellow" | "green" | "blue" | "red";
export type Note = { id: string; text: string; position: Position; size: Size; tint?: Tint };
export type Group = { id: string; title: string; position: Position; size: Size; tint?: Tint };
export type Annotations = { notes: Note[]; groups: Group[] };

export const TINTS: Tint[] = ["plain", "yellow", "green", "blue", "red"];

export function annotationsOf(document: WorkflowDocument): Annotations {
  return { notes: listOf<Note>(document.canvas?.notes), groups: listOf<Group>(document.canvas?.groups) };
}

/** Others may write what they like into `canvas`; only what has a place can be shown. */
function listOf<T extends Note | Group>(value: unknown): T[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry: Partial<T> | null) => {
    const { id, position, size } = entry ?? {};
    return (
      typeof id === "string" &&
      [position?.x, position?.y, size?.width, size?.height].every((number) => typeof number === "number")
    );
  }) as T[];
}

/** The document with other notes and groups; `canvas` goes when nothing is left in it. */
function withAnnotations(document: WorkflowDocument, change: Partial<Annotations>): WorkflowDocument {
  const canvas: Record<string, unknown> = { ...document.canvas, ...change };
  for (const key of ["notes", "groups"])
    if (Array.isArray(canvas[key]) && !canvas[key].length) delete canvas[key];
  const { canvas: _, ...rest } = document;
  return Object.keys(canvas).length ? { ...rest, canvas } : rest;
}

export function putNote(document: WorkflowDocument, note: Note): WorkflowDocument {
  return withAnnotations(document, { notes: put(annotationsOf(document).notes, note) });
}

export function putGroup(document: WorkflowDocument, group: Group): WorkflowDocument {
  return withAnnotations(document, { groups: put(annotationsOf(document).groups, group) });
}

const put = <T extends { id: string }>(list: T[], entry: T): T[] =>
  list.some((old) => old.id === entry.id)
    ? list.map((old) => (old.id === entry.id ? entry : old))
    : [...list, entry];

export function removeAnnotations(document: WorkflowDocument, ids: ReadonlySet<string>): WorkflowDocument {
  const { notes, groups } = annotationsOf(document);
  const stays = (entry: { id: string }) => !ids.has(entry.id);
  if (notes.every(stays) && groups.every(stays)) return document;
  return withAnnotations(document, { notes: notes.filter(stays), groups: groups.filter(stays) });
}

export function moveAnnotations(
  document: WorkflowDocument,
  places: ReadonlyMap<string, Position>,
): WorkflowDocument {
  const { notes, groups } = annotationsOf(document);
  const move = <T extends Note | Group>(entry: T): T => {
    const place = places.get(entry.id);
    return place ? { ...entry, position: { x: Math.round(place.x), y: Math.round(place.y) } } : entry;
  };
  if (![...notes, ...groups].some((entry) => places.has(entry.id))) return document;
  return withAnnotations(document, { notes: notes.map(move), groups: groups.map(move) });
}

/** `note-1`, `group-2`: ids that no node can have taken matter nowhere, so they only must differ among themselves. */
export function freeAnnotationId(document: WorkflowDocument, kind: "note" | "group"): string {
  const { notes, groups } = annotationsOf(document);
  const taken = new Set([...notes, ...groups].map((entry) => entry.id));
  for (let number = 1; ; number += 1) if (!taken.has(`${kind}:${number}`)) return `${kind}:${number}`;
}

/** Whether something with this middle lies in a group. */
export function isInside(group: Group, middle: Position): boolean {
  const { position, size } = group;
  return (
    middle.x >= position.x &&
    middle.x <= position.x + size.width &&
    middle.y >= position.y &&
    middle.y <= position.y + size.height
  );
}
