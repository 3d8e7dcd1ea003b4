// Keys while the canvas has the focus, and copy, cut and paste through the system's clipboard. Must not know what the
// commands do.
import { useReactFlow } from "@xyflow/react";
import { useEffect, useRef, type KeyboardEvent } from "react";

import type { Position } from "../../graph/document";
import { patchNode } from "../../graph/edit";
import { neighbours, siblings } from "../../graph/walk";
import { toast } from "../../ui/Toast";
import {
  addGroup,
  addNote,
  copySelected,
  duplicateSelected,
  layoutSelected,
  pasteText,
  removeSelected,
} from "../commands";
import { focusNode } from "../canvas/focusNode";
import { useBuilder } from "../context";
import {
  documentOf,
  edit,
  openNode,
  redoEdit,
  select,
  selection,
  settle,
  undoEdit,
  type Builder,
} from "../store";

export type Asked = { add: () => void; connect: (node: string) => void; sheet: () => void };

const STEP = 10;
const ARROWS: Record<string, Position> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Where text is written, keys write text. */
const isWriting = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || Boolean(target.closest("input, textarea, select, [role=dialog], .cm-editor")));

const focusedNode = (target: EventTarget | null) =>
  target instanceof HTMLElement ? target.closest<HTMLElement>(".react-flow__node")?.dataset.id : undefined;

export function useCanvasKeys(asked: Asked) {
  const builder = useBuilder();
  const flow = useReactFlow();
  useClipboard(builder, flow.screenToFlowPosition);

  const focus = (id: string) => {
    const node = flow.getInternalNode(id);
    if (!node) return;
    const middle = node.internals.positionAbsolute;
    void flow.setCenter(middle.x + (node.width ?? 0) / 2, middle.y + (node.height ?? 0) / 2, {
      zoom: Math.max(flow.getZoom(), 0.5),
    });
    focusNode(id);
  };
  const walk = (id: string, key: string) => {
    const draft = documentOf(builder);
    if (key === "ArrowRight" || key === "ArrowLeft") {
      const [next] = neighbours(draft, id, key === "ArrowRight" ? "after" : "before");
      return next;
    }
    const beside = siblings(draft, id);
    const place = beside.indexOf(id) + (key === "ArrowDown" ? 1 : -1);
    return beside[(place + beside.length) % beside.length];
  };
  const plain: Record<string, (id: string | undefined) => void> = {
    a: () => asked.add(),
    c: (id) => id !== undefined && asked.connect(id),
    d: (id) => toggleDisabled(builder, id),
    n: () => addNote(builder, middleOf(flow.screenToFlowPosition)),
    g: () => addGroup(builder, middleOf(flow.screenToFlowPosition)),
    l: () => layoutSelected(builder),
    f: () => void flow.fitView({ maxZoom: 1, padding: 0.2 }),
    "+": () => void flow.zoomIn(),
    "=": () => void flow.zoomIn(),
    "-": () => void flow.zoomOut(),
    "?": () => asked.sheet(),
    "/": () => asked.add(),
    Delete: () => removeSelected(builder),
    Backspace: () => removeSelected(builder),
    Escape: () => select(builder, []),
    Enter: (id) => id !== undefined && openParameters(builder, id),
    " ": (id) => id !== undefined && toggle(builder, id),
  };
  const withControl: Record<string, () => void> = {
    a: () =>
      select(
        builder,
        builder.getState().elements.nodes.map((node) => node.id),
      ),
    d: () => duplicateSelected(builder),
    z: () => undoEdit(builder),
    y: () => redoEdit(builder),
    Z: () => redoEdit(builder),
  };
  const onKey = (event: KeyboardEvent | globalThis.KeyboardEvent) => {
    if (isWriting(event.target)) return;
    const id = focusedNode(event.target) ?? [...selection(builder).nodes][0];
    const arrow = ARROWS[event.key];
    let done: (() => void) | undefined;
    if (arrow && event.altKey && id) {
      const next = walk(id, event.key);
      done = () => next !== undefined && (select(builder, [next]), focus(next));
    } else if (arrow && id) done = () => nudge(builder, id, arrow, event.shiftKey ? STEP * 5 : STEP);
    else if (event.ctrlKey || event.metaKey) done = withControl[event.key];
    else if (!event.altKey && plain[event.key.length === 1 ? event.key.toLowerCase() : event.key])
      done = () => plain[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.(id);
    if (!done) return;
    event.preventDefault();
    done();
  };
  useKeysOfNobody(onKey);
  return onKey;
}

/** When what had the focus is gone (a node was deleted), keys go to the page; they are meant for the canvas. */
function useKeysOfNobody(onKey: (event: globalThis.KeyboardEvent) => void) {
  const newest = useRef(onKey);
  useEffect(() => {
    newest.current = onKey;
  });
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      if (event.target === document.body) newest.current(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function toggle(builder: Builder, id: string) {
  const { nodes } = selection(builder);
  if (!nodes.delete(id)) nodes.add(id);
  select(builder, nodes);
}

function toggleDisabled(builder: Builder, focused: string | undefined) {
  const { nodes } = selection(builder);
  const ids = nodes.size ? nodes : new Set(focused === undefined ? [] : [focused]);
  const draft = documentOf(builder);
  const disable = draft.nodes.some((node) => ids.has(node.id) && !node.disabled);
  edit(builder, () =>
    [...ids].reduce((next, id) => patchNode(next, id, { disabled: disable || undefined }), draft),
  );
}

/** Moves what is chosen, or the node that has the focus. */
function nudge(builder: Builder, focused: string, way: Position, by: number) {
  const chosen = builder.getState().elements.nodes.filter((node) => node.selected);
  const nodes = chosen.length
    ? chosen
    : builder.getState().elements.nodes.filter((node) => node.id === focused);
  const moved = nodes.map(({ id, position }) => ({
    id,
    position: { x: position.x + way.x * by, y: position.y + way.y * by },
  }));
  settle(builder, moved, "nudge");
}

function openParameters(builder: Builder, id: string) {
  select(builder, [id]);
  openNode(builder, id);
  requestAnimationFrame(() =>
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>("[data-dock] input, [data-dock] textarea")?.focus(),
    ),
  );
}

function middleOf(toFlow: (point: Position) => Position): Position {
  const box = document.querySelector(".react-flow")?.getBoundingClientRect();
  const point = box ? { x: box.left + box.width / 2, y: box.top + box.height / 3 } : { x: 0, y: 0 };
  const { x, y } = toFlow(point);
  return { x: Math.round(x), y: Math.round(y) };
}

/** The browser's own copy, cut and paste, so that nodes can be carried to other windows as text. */
function useClipboard(builder: Builder, toFlow: (point: Position) => Position) {
  useEffect(() => {
    const take = (event: ClipboardEvent, cut: boolean) => {
      if (isWriting(event.target) || String(getSelection())) return;
      const text = copySelected(builder);
      if (!text) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      if (cut) removeSelected(builder);
    };
    const copy = (event: ClipboardEvent) => take(event, false);
    const cut = (event: ClipboardEvent) => take(event, true);
    const pasted = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain");
      if (!text || isWriting(event.target)) return;
      event.preventDefault();
      if (!pasteText(builder, text, middleOf(toFlow))) toast.say("The clipboard holds no nodes.");
    };
    document.addEventListener("copy", copy);
    document.addEventListener("cut", cut);
    document.addEventListener("paste", pasted);
    return () => {
      document.removeEventListener("copy", copy);
      document.removeEventListener("cut", cut);
      document.removeEventListener("paste", pasted);
    };
  }, [builder, toFlow]);
}
