// What is marked on the nodes besides what the document says: how the run stands, problems, kept answers. Kept apart from
// the document, so that a live run redraws only the nodes that it concerns. Must not know the canvas.
import { createContext, useContext } from "react";
import { createStore, useStore, type StoreApi } from "zustand";

import type { NodeProblems } from "../graph/problems";
import type { NodeStates } from "../graph/runStates";

export type Marks = {
  states: NodeStates;
  problems: ReadonlyMap<string, NodeProblems>;
  pinned: ReadonlySet<string>;
};

export type MarksStore = StoreApi<Marks>;

export const createMarks = (states: NodeStates = {}): MarksStore =>
  createStore<Marks>(() => ({ states, problems: new Map(), pinned: new Set() }));

export const MarksContext = createContext<MarksStore | null>(null);

export function useMarks<T>(select: (marks: Marks) => T): T {
  const store = useContext(MarksContext);
  if (!store) throw new Error("a canvas needs <MarksContext>");
  return useStore(store, select);
}
