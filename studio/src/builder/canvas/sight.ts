// Bringing a node into sight when it is not seen well. Must not know why it is wanted.
import type { ReactFlowInstance } from "@xyflow/react";

import type { CanvasEdge, CanvasNode } from "../../graph/elements";

type Flow = ReactFlowInstance<CanvasNode, CanvasEdge>;

/** Smaller than this, names cannot be read. */
const READABLE = 0.45;
const EDGE = 16;

/** Moves the canvas so that a node is seen; it stays where it is when the node is seen well already. */
export function bringIntoSight(flow: Flow, canvas: Element | null, id: string): void {
  const node = flow.getNode(id);
  const box = canvas?.getBoundingClientRect();
  if (!node || !box) return;
  const [width, height] = [node.width ?? 0, node.height ?? 0];
  const from = flow.flowToScreenPosition(node.position);
  const to = flow.flowToScreenPosition({ x: node.position.x + width, y: node.position.y + height });
  const isSeen =
    from.x >= box.left + EDGE &&
    to.x <= box.right - EDGE &&
    from.y >= box.top + EDGE &&
    to.y <= box.bottom - EDGE;
  if (isSeen && flow.getZoom() >= READABLE) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  void flow.setCenter(node.position.x + width / 2, node.position.y + height / 2, {
    zoom: Math.max(flow.getZoom(), 0.65),
    duration: calm ? 0 : 250,
  });
}
