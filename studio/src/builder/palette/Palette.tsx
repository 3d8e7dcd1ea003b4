// The palette at the side of the canvas: drag a node onto the canvas, or choose it to add it behind the chosen node.
import { useReactFlow } from "@xyflow/react";

import type { NodeType } from "../../graph/catalogue";
import { addNode, freeOutput, placeAfter } from "../commands";
import { useBuilder, useBuilderState } from "../context";
import { openNode, selection, type Builder } from "../store";
import { TypeList } from "./TypeList";

export const PALETTE_SEARCH = "palette-search";

/** Adds a node behind the chosen one; without one, in the middle of what is seen. */
export function addFromPalette(builder: Builder, type: NodeType, middle: { x: number; y: number }) {
  const { nodes } = selection(builder);
  const [chosen] = nodes.size === 1 ? nodes : [];
  const follows = chosen !== undefined && !type.trigger;
  const id = follows
    ? addNode(builder, type, placeAfter(builder, chosen), freeOutput(builder, chosen))
    : addNode(builder, type, { x: middle.x - 104, y: middle.y - 26 });
  openNode(builder, id);
  return id;
}

export function Palette({ onEscape }: { onEscape: () => void }) {
  const builder = useBuilder();
  const catalogue = useBuilderState((state) => state.catalogue);
  const flow = useReactFlow();
  const choose = (type: NodeType) => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    const middle = box
      ? flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 })
      : { x: 0, y: 0 };
    addFromPalette(builder, type, middle);
  };
  return (
    <TypeList
      catalogue={catalogue}
      onChoose={choose}
      onEscape={onEscape}
      isDraggable
      inputId={PALETTE_SEARCH}
    />
  );
}
