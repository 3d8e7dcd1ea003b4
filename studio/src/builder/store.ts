// What the builder holds while a workflow is open: the draft with its history, what is drawn, what is chosen. Must not
// know how anything is shown, and must not talk to the server.
import { applyEdgeChanges, applyNodeChanges, type EdgeChange, type NodeChange } from "@xyflow/react";
import { createStore, type StoreApi } from "zustand";

import { moveAnnotations } from "../graph/annotations";
import type { Catalogue } from "../graph/catalogue";
import type { Position, Problem, WorkflowDocument } from "../graph/document";
import { moveNodes } from "../graph/edit";
import { elementsOf, type CanvasEdge, type CanvasNode, type Elements } from "../graph/elements";
import { change, historyOf, redo, undo, type History } from "../graph/history";
import { placeAll } from "../graph/layout";
import type { Pins } from "../graph/runRequest";
import type { RunView } from "../graph/runStates";
import type { Workflow } from "./remote";
import type { LiveRun } from "./run/testRun";

export type Saving = "saved" | "dirty" | "saving" | "failed" | "conflict";
export type DockTab = "step" | "phone" | "problems" | "versions" | "workflow";

export type BuilderState = {
  id: string;
  catalogue: Catalogue;
  history: History<WorkflowDocument>;
  /** As the server has it, and its revision there. */
  saved: WorkflowDocument;
  revision: number;
  publishedVersion: number | null;
  saving: Saving;
  saveError: string | null;
  elements: Elements;
  /** Places of nodes for which the document has none. */
  places: ReadonlyMap<string, Position>;
  problems: readonly Problem[];
  isChecking: boolean;
  /** The run whose data are looked at, and outputs that are kept for the next ones. */
  run: RunView | null;
  pins: Pins;
  live: LiveRun | null;
  runError: unknown;
  /** Whether runs have effects outside; nobody gets that without asking for it. */
  isReal: boolean;
  /** What somebody else saved, while a person has to choose. */
  theirs: Workflow | null;
  dock: DockTab | null;
  /** The node whose parameters are open. */
  open: string | null;
  /** A field of it that is to be shown. */
  openField: string | null;
};

export type Builder = StoreApi<BuilderState>;

type Start = {
  id: string;
  catalogue: Catalogue;
  document: WorkflowDocument;
  revision: number;
  publishedVersion: number | null;
  problems: readonly Problem[];
};

export function createBuilder(start: Start): Builder {
  const { document, ...rest } = start;
  const places = placeAll(document, start.catalogue);
  return createStore<BuilderState>(() => ({
    ...rest,
    history: historyOf(document),
    saved: document,
    saving: "saved",
    saveError: null,
    places,
    elements: elementsOf(document, start.catalogue, null, places),
    isChecking: false,
    run: null,
    pins: {},
    live: null,
    runError: null,
    isReal: false,
    theirs: null,
    dock: null,
    open: null,
    openField: null,
  }));
}

export const documentOf = (builder: Builder) => builder.getState().history.present;

/** Puts a history in force and draws what is different. */
function show(builder: Builder, history: History<WorkflowDocument>) {
  const state = builder.getState();
  if (history.present === state.history.present) return builder.setState({ history });
  const document = history.present;
  const isUnplaced = document.nodes.some((node) => !node.position && !state.places.has(node.id));
  const places = isUnplaced ? placeAll(document, state.catalogue) : state.places;
  const elements = elementsOf(document, state.catalogue, state.elements, places);
  const isGone = state.open !== null && !document.nodes.some((node) => node.id === state.open);
  builder.setState({
    history,
    places,
    elements,
    saving: state.saving === "conflict" || state.saving === "saving" ? state.saving : "dirty",
    ...(isGone && { open: null }),
  });
}

/** Changes the draft as one step that can be undone; quick changes of the same `key` are one step. */
export function edit(
  builder: Builder,
  by: (document: WorkflowDocument) => WorkflowDocument,
  key?: string,
): void {
  const { history } = builder.getState();
  show(builder, change(history, by(history.present), Date.now(), key));
}

export const undoEdit = (builder: Builder) => show(builder, undo(builder.getState().history));
export const redoEdit = (builder: Builder) => show(builder, redo(builder.getState().history));

/** Places during a drag stay on the canvas; they go into the document when it ends. */
export function changeNodes(builder: Builder, changes: NodeChange<CanvasNode>[]): void {
  const { elements } = builder.getState();
  const kept = changes.filter((entry) => entry.type !== "remove");
  if (!kept.length) return;
  builder.setState({ elements: { ...elements, nodes: applyNodeChanges(kept, elements.nodes) } });
}

export function changeEdges(builder: Builder, changes: EdgeChange<CanvasEdge>[]): void {
  const { elements } = builder.getState();
  const kept = changes.filter((entry) => entry.type !== "remove");
  if (kept.length)
    builder.setState({ elements: { ...elements, edges: applyEdgeChanges(kept, elements.edges) } });
}

/** Writes places from the canvas into the document. */
export function settle(builder: Builder, moved: Pick<CanvasNode, "id" | "position">[], key?: string): void {
  const places = new Map(moved.map((node) => [node.id, node.position]));
  edit(builder, (document) => moveAnnotations(moveNodes(document, places), places), key);
}

/** Marks these elements, and no others, as chosen. */
export function select(builder: Builder, ids: Iterable<string>): void {
  const { elements } = builder.getState();
  const wanted = new Set(ids);
  const mark = <T extends CanvasNode | CanvasEdge>(element: T): T =>
    Boolean(element.selected) === wanted.has(element.id)
      ? element
      : { ...element, selected: wanted.has(element.id) };
  builder.setState({ elements: { nodes: elements.nodes.map(mark), edges: elements.edges.map(mark) } });
}

export function selection(builder: Builder) {
  const { nodes, edges } = builder.getState().elements;
  const chosen = nodes.filter((node) => node.selected);
  return {
    nodes: new Set(chosen.filter((node) => node.type === "step").map((node) => node.id)),
    annotations: new Set(chosen.filter((node) => node.type !== "step").map((node) => node.id)),
    edges: new Set(edges.filter((edge) => edge.selected).map((edge) => edge.id)),
  };
}

/** Opens the parameters of a node, and a field of them when one is named. */
export const openNode = (builder: Builder, id: string, field: string | null = null) =>
  builder.setState({ open: id, openField: field, dock: "step" });
