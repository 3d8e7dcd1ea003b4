// The canvas on which a workflow is drawn: dragging, connecting, choosing, dropping. What is done is done by commands;
// keys are in `useCanvasKeys`. Must not know node types.
import {
  ConnectionMode,
  Controls,
  Panel,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  type Connection,
  type Edge,
  type OnConnectEnd,
  type OnNodeDrag,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useCallback, useRef, useState, type DragEvent, type MouseEvent } from "react";

import { useTheme } from "../../app/theme";
import { canConnect } from "../../graph/connect";
import { MAIN, type Endpoint, type Position } from "../../graph/document";
import type { CanvasEdge, CanvasNode } from "../../graph/elements";
import { cx } from "../../ui/cx";
import { toast } from "../../ui/Toast";
import { addNode, connectPorts, connectToNode, insideGroup } from "../commands";
import { useBuilder, useBuilderState } from "../context";
import { QuickAdd, type QuickAddAt } from "../palette/QuickAdd";
import { PALETTE_TYPE } from "../palette/drag";
import { changeEdges, changeNodes, documentOf, openNode, settle } from "../store";
import "./canvas.css";
import { ConnectHint } from "./ConnectHint";
import { drawsOnlySeen, FarContext, useIsFar, useKnownSizes } from "./detail";
import { Dots } from "./Dots";
import { Overview } from "./Overview";
import { edgeTypes, nodeTypes } from "./types";

const ends = (connection: Connection | Edge): [Endpoint, Endpoint] => [
  { node: connection.source, port: connection.sourceHandle ?? MAIN },
  { node: connection.target, port: connection.targetHandle ?? MAIN },
];

export function Canvas({ isReadOnly }: { isReadOnly: boolean }) {
  const builder = useBuilder();
  const elements = useBuilderState((state) => state.elements);
  const theme = useTheme((state) => state.shown);
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const [quickAdd, setQuickAdd] = useState<QuickAddAt | null>(null);
  const drag = useGroupDrag();
  const [isMoving, setMoving] = useState(false);
  const isFar = useIsFar(elements.nodes.length);
  useKnownSizes();

  const isValid = useCallback(
    (connection: Connection | Edge) => {
      const [from, to] = ends(connection);
      return canConnect(documentOf(builder), builder.getState().catalogue, from, to).ok;
    },
    [builder],
  );
  const onConnect = useCallback(
    (connection: Connection) => void connectPorts(builder, ...ends(connection)),
    [builder],
  );
  const onConnectEnd = useCallback<OnConnectEnd>(
    (event, state) => {
      if (state.isValid || !state.fromHandle || state.fromHandle.type !== "source") return;
      const from = { node: state.fromHandle.nodeId, port: state.fromHandle.id ?? MAIN };
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const at = { x: point.clientX, y: point.clientY };
      const under = document.elementFromPoint(at.x, at.y)?.closest<HTMLElement>(".react-flow__node-step");
      if (state.toHandle) return toast.say(refusal(builder, from, state.toHandle));
      if (under?.dataset.id) {
        const reason = connectToNode(builder, from, under.dataset.id);
        return reason ? toast.say(reason) : undefined;
      }
      setQuickAdd({ screen: at, place: flow.screenToFlowPosition(at), from });
    },
    [builder, flow],
  );
  const onDrop = useCallback(
    (event: DragEvent) => {
      const type = builder.getState().catalogue.byType.get(event.dataTransfer.getData(PALETTE_TYPE));
      if (!type) return;
      event.preventDefault();
      const place = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
      openNode(builder, addNode(builder, type, { x: place.x - 104, y: place.y - 26 }));
    },
    [builder, flow],
  );
  const onNodeClick = useCallback(
    (event: MouseEvent, node: CanvasNode) => {
      if (node.type === "step" && !event.shiftKey && !event.ctrlKey && !event.metaKey)
        openNode(builder, node.id);
    },
    [builder],
  );
  return (
    <FarContext value={isFar}>
      <ReactFlow<CanvasNode, CanvasEdge>
        className={cx(isMoving && isFar && "canvas-shifted")}
        onMoveStart={() => setMoving(true)}
        onMoveEnd={() => setMoving(false)}
        nodes={elements.nodes}
        edges={elements.edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={theme}
        onNodesChange={(changes) => changeNodes(builder, changes)}
        onEdgesChange={(changes) => changeEdges(builder, changes)}
        onNodeDragStart={drag.start}
        onNodeDrag={drag.move}
        onNodeDragStop={drag.stop}
        onNodeClick={onNodeClick}
        onConnect={onConnect}
        onConnectEnd={onConnectEnd}
        isValidConnection={isValid}
        onDrop={onDrop}
        onDragOver={(event) => event.dataTransfer.types.includes(PALETTE_TYPE) && event.preventDefault()}
        nodesDraggable={!isReadOnly}
        nodesConnectable={!isReadOnly}
        connectionMode={ConnectionMode.Strict}
        connectionRadius={24}
        nodeDragThreshold={2}
        selectionOnDrag
        selectionMode={SelectionMode.Partial}
        panOnDrag={[1, 2]}
        panOnScroll
        zoomOnDoubleClick={false}
        multiSelectionKeyCode={["Shift", "Control", "Meta"]}
        deleteKeyCode={null}
        disableKeyboardA11y
        onlyRenderVisibleElements={drawsOnlySeen(isFar, elements.nodes.length)}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.2 }}
        minZoom={0.05}
        maxZoom={2}
        elevateNodesOnSelect={false}
      >
        {!isFar && <Dots />}
        <Controls showInteractive={false} position="bottom-left" />
        <Overview />
        <Panel position="top-center">
          <ConnectHint />
        </Panel>
        {quickAdd && <QuickAdd at={quickAdd} onClose={() => setQuickAdd(null)} />}
      </ReactFlow>
    </FarContext>
  );
}

function refusal(
  builder: ReturnType<typeof useBuilder>,
  from: Endpoint,
  handle: { nodeId: string; id?: string | null; type: string },
): string {
  if (handle.type === "source") return "An output leads to an input, not to another output.";
  const to = { node: handle.nodeId, port: handle.id ?? MAIN };
  const verdict = canConnect(documentOf(builder), builder.getState().catalogue, from, to);
  return verdict.ok ? "" : verdict.reason;
}

/** A group takes along what lies in it; where everything ends is written into the document in one step. */
function useGroupDrag() {
  const builder = useBuilder();
  const carried = useRef<{ begin: Position; starts: Map<string, Position> } | null>(null);
  const start = useCallback<OnNodeDrag<CanvasNode>>(
    (_, node) => {
      carried.current = null;
      if (node.type !== "group-frame") return;
      const inside = new Set(insideGroup(builder, node.id));
      const { nodes } = builder.getState().elements;
      const starts = new Map(
        nodes
          .filter((entry) => inside.has(entry.id) && !entry.selected)
          .map((entry) => [entry.id, entry.position]),
      );
      carried.current = { begin: { ...node.position }, starts };
    },
    [builder],
  );
  const move = useCallback<OnNodeDrag<CanvasNode>>(
    (_, node) => {
      if (!carried.current?.starts.size) return;
      const { begin, starts } = carried.current;
      const shift = { x: node.position.x - begin.x, y: node.position.y - begin.y };
      changeNodes(
        builder,
        [...starts].map(([id, place]) => ({
          type: "position" as const,
          id,
          position: { x: place.x + shift.x, y: place.y + shift.y },
        })),
      );
    },
    [builder],
  );
  const stop = useCallback<OnNodeDrag<CanvasNode>>(
    (_, node, nodes) => {
      const { elements } = builder.getState();
      const moved = new Set([
        node.id,
        ...nodes.map((entry) => entry.id),
        ...(carried.current?.starts.keys() ?? []),
      ]);
      settle(
        builder,
        elements.nodes.filter((entry) => moved.has(entry.id)),
      );
      carried.current = null;
    },
    [builder],
  );
  return { start, move, stop };
}
