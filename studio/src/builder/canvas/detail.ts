// How much of a workflow is drawn at which zoom, and what the canvas need not find out by itself. Must not know what is
// drawn.
import { useStore, useStoreApi } from "@xyflow/react";
import { createContext, useDeferredValue, useState } from "react";

/** Below this zoom nothing can be read or hit: a node is a box, an edge a line, and all of them are drawn. */
const FAR = 0.3;
/** So many nodes are drawn in full at any zoom: their names are small, but they are there. */
const FEW = 100;
/** With more nodes than this, only those that are seen are drawn at any zoom. */
const HUGE = 1_000;

export const FarContext = createContext(false);

/** Whether things are drawn as from far away. The change may take a few frames: zooming goes on meanwhile. */
export const useIsFar = (nodes: number) =>
  useDeferredValue(useStore((state) => nodes > FEW && state.transform[2] < FAR));

/** To draw simple boxes that are not seen costs less than to ask at each step which are. */
export const drawsOnlySeen = (isFar: boolean, nodes: number) => !isFar || nodes > HUGE;

/** Every element says its size and where its ports are (`graph/elements`): nothing is measured, and nothing drawn twice. */
export function useKnownSizes() {
  const store = useStoreApi();
  useState(() => store.setState({ updateNodeInternals: () => undefined }));
}
