// The whole workflow in small, painted: where the nodes are, and which part is seen. Painting by hand costs a tenth of what
// five hundred elements cost that move with every step. Must not know React.
import type { useStoreApi } from "@xyflow/react";

import type { Position } from "../../graph/document";
import type { CanvasEdge, CanvasNode } from "../../graph/elements";

type Store = ReturnType<typeof useStoreApi<CanvasNode, CanvasEdge>>;
type Box = Position & { width: number; height: number };

/** While nodes are dragged they are painted anew this often at most. */
const CALM = 150;
const MARGIN = 6;

export type Overview = { stop: () => void; toFlow: (point: Position) => Position };

/** Paints now and whenever the view or the nodes change, until stopped. */
export function paintOverview(canvas: HTMLCanvasElement, store: Store): Overview {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height;
  const names = ["--busy", "--warn", "--muted", "--ground", "--line"] as const;
  const style = getComputedStyle(canvas);
  const colour = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name)])) as Record<
    (typeof names)[number],
    string
  >;
  let whole = boxOfNodes(store.getState().nodes);
  let shown: Fit = { scale: 1, x: 0, y: 0 };
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const paintNodes = () => {
    timer = undefined;
    const { nodes } = store.getState();
    whole = boxOfNodes(nodes);
    const pen = picture.getContext("2d");
    if (!pen) return;
    pen.clearRect(0, 0, picture.width, picture.height);
    if (!whole) return;
    const scale = Math.min(picture.width / whole.width, picture.height / whole.height);
    for (const node of nodes) {
      const isStep = node.type === "step";
      pen.fillStyle = colour[isStep ? "--muted" : node.type === "note" ? "--warn" : "--busy"];
      pen.globalAlpha = isStep ? 1 : 0.15;
      const { x, y } = node.position;
      const [wide, high] = [(node.width ?? 0) * scale, (node.height ?? 0) * scale];
      pen.fillRect((x - whole.x) * scale, (y - whole.y) * scale, Math.max(wide, 2), Math.max(high, 2));
    }
  };
  const paint = () => {
    frame = 0;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const view = viewOf(store);
    const all = whole ? union(whole, view) : view;
    shown = fit(all, width, height);
    const place = (box: Box) =>
      [
        shown.x + box.x * shown.scale,
        shown.y + box.y * shown.scale,
        box.width * shown.scale,
        box.height * shown.scale,
      ] as const;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (whole) {
      const scale = Math.min(picture.width / whole.width, picture.height / whole.height);
      const [x, y] = place(whole);
      const small = shown.scale / scale;
      pen.drawImage(picture, x, y, picture.width * small, picture.height * small);
    }
    pen.globalAlpha = 0.7;
    pen.fillStyle = colour["--ground"];
    pen.beginPath();
    pen.rect(0, 0, width, height);
    pen.rect(...place(view));
    pen.fill("evenodd");
    pen.globalAlpha = 1;
    pen.strokeStyle = colour["--line"];
    pen.strokeRect(...place(view));
  };
  const soon = () => (frame ||= requestAnimationFrame(paint));
  paintNodes();
  soon();
  const unsubscribe = store.subscribe((state, before) => {
    if (state.nodes !== before.nodes)
      timer ??= setTimeout(() => {
        paintNodes();
        soon();
      }, CALM);
    if (
      state.transform !== before.transform ||
      state.width !== before.width ||
      state.height !== before.height
    )
      soon();
  });
  return {
    stop: () => {
      unsubscribe();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    },
    toFlow: ({ x, y }) => ({ x: (x - shown.x) / shown.scale, y: (y - shown.y) / shown.scale }),
  };
}

function boxOfNodes(nodes: CanvasNode[]): Box | null {
  if (!nodes.length) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { position, width = 0, height = 0 } of nodes) {
    left = Math.min(left, position.x);
    top = Math.min(top, position.y);
    right = Math.max(right, position.x + width);
    bottom = Math.max(bottom, position.y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function viewOf(store: Store): Box {
  const { transform, width, height } = store.getState();
  const [x, y, zoom] = transform;
  return { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
}

function union(a: Box, b: Box): Box {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  const right = Math.max(a.x + a.width, b.x + b.width);
  const bottom = Math.max(a.y + a.height, b.y + b.height);
  return { x, y, width: right - x, height: bottom - y };
}

type Fit = { scale: number; x: number; y: number };

/** How a box is put into the middle of a canvas of this size. */
function fit(box: Box, width: number, height: number): Fit {
  const scale = Math.min((width - 2 * MARGIN) / box.width, (height - 2 * MARGIN) / box.height);
  return {
    scale,
    x: (width - box.width * scale) / 2 - box.x * scale,
    y: (height - box.height * scale) / 2 - box.y * scale,
  };
}
