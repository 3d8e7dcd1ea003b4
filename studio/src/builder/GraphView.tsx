// A workflow to look at: drawn as in the builder, lit by a run, with one node chosen. Changes nothing.
import {
  Controls,
  ReactFlow,
  ReactFlowProvider,
  type ReactFlowInstance,
  type NodeMouseHandler,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { useTheme } from "../app/theme";
import type { Catalogue } from "../graph/catalogue";
import type { WorkflowDocument } from "../graph/document";
import { elementsOf, type CanvasEdge, type CanvasNode, type Elements } from "../graph/elements";
import { placeAll } from "../graph/layout";
import type { NodeStates } from "../graph/runStates";
import "./canvas/canvas.css";
import { drawsOnlySeen, FarContext, useIsFar, useKnownSizes } from "./canvas/detail";
import { Dots } from "./canvas/Dots";
import { Overview } from "./canvas/Overview";
import { bringIntoSight } from "./canvas/sight";
import { edgeTypes, nodeTypes } from "./canvas/types";
import { MarksContext, createMarks } from "./marks";

export type GraphViewProps = {
  document: WorkflowDocument;
  catalogue: Catalogue;
  states: NodeStates;
  selected?: string | null;
  onSelect?: (id: string | null) => void;
};

export default function GraphView(props: GraphViewProps) {
  return (
    <ReactFlowProvider>
      <Graph {...props} />
    </ReactFlowProvider>
  );
}

function Graph({ document, catalogue, states, selected, onSelect }: GraphViewProps) {
  const [marks] = useState(() => createMarks(states));
  useEffect(() => marks.setState({ states }), [marks, states]);
  const theme = useTheme((state) => state.shown);
  const [flow, setFlow] = useState<ReactFlowInstance<CanvasNode, CanvasEdge> | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (flow && selected) bringIntoSight(flow, box.current, selected);
  }, [flow, selected]);
  const isFar = useIsFar(document.nodes.length);
  useKnownSizes();
  const before = useRef<Elements | null>(null);
  const elements = useMemo(() => {
    const made = elementsOf(document, catalogue, before.current, placeAll(document, catalogue));
    before.current = made;
    return made;
  }, [document, catalogue]);
  const nodes = useMemo(
    () => elements.nodes.map((node): CanvasNode => ({ ...node, selected: node.id === selected })),
    [elements, selected],
  );
  const choose = useCallback<NodeMouseHandler<CanvasNode>>(
    (_, node) => node.type === "step" && onSelect?.(node.id),
    [onSelect],
  );
  const chooseByKey = (event: React.KeyboardEvent) => {
    const id = (event.target as HTMLElement).closest<HTMLElement>(".react-flow__node-step")?.dataset.id;
    if (id && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      onSelect?.(id);
    }
  };
  return (
    <MarksContext value={marks}>
      <FarContext value={isFar}>
        <div ref={box} className="h-full w-full" onKeyDown={chooseByKey}>
          <ReactFlow<CanvasNode, CanvasEdge>
            nodes={nodes}
            edges={elements.edges}
            nodeTypes={nodeTypes}
            edgeTypes={edgeTypes}
            colorMode={theme}
            onInit={setFlow}
            nodesDraggable={false}
            nodesConnectable={false}
            edgesFocusable={false}
            deleteKeyCode={null}
            disableKeyboardA11y
            onlyRenderVisibleElements={drawsOnlySeen(isFar, nodes.length)}
            fitView
            fitViewOptions={{ maxZoom: 1, padding: 0.15 }}
            minZoom={0.05}
            onNodeClick={choose}
            onPaneClick={() => onSelect?.(null)}
          >
            {!isFar && <Dots />}
            <Controls showInteractive={false} />
            {nodes.length > 12 && <Overview />}
          </ReactFlow>
        </div>
      </FarContext>
    </MarksContext>
  );
}
