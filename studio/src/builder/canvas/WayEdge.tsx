// An edge with its direction; green, with the number of items, where the run went along it. From far away it is a line.
import { BaseEdge, EdgeLabelRenderer, getBezierPath, getSmoothStepPath, type EdgeProps } from "@xyflow/react";
import { memo, use } from "react";

import type { CanvasEdge } from "../../graph/elements";
import { useMarks } from "../marks";
import { FarContext } from "./detail";

export const WayEdge = memo(function WayEdge(props: EdgeProps<CanvasEdge>) {
  const { source, sourceHandleId, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition } =
    props;
  const count = useMarks((marks) => marks.states[source]?.counts?.[sourceHandleId ?? ""] ?? 0);
  const isFar = use(FarContext);
  const taken = count ? { stroke: "var(--ok)", strokeWidth: 2 } : undefined;
  if (isFar)
    return (
      <path
        d={`M${sourceX} ${sourceY}L${targetX} ${targetY}`}
        className="react-flow__edge-path"
        style={taken}
      />
    );
  const ends = { sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition };
  // An edge that leads back goes around the nodes in place of through them.
  const isBack = targetX < sourceX - 20;
  const [path, x, y] = isBack
    ? getSmoothStepPath({ ...ends, borderRadius: 16, offset: 28, centerY: Math.max(sourceY, targetY) + 70 })
    : getBezierPath({ ...ends, curvature: 0.3 });
  return (
    <>
      <BaseEdge id={props.id} path={path} markerEnd={props.markerEnd} interactionWidth={16} style={taken} />
      {count > 1 && (
        <EdgeLabelRenderer>
          <span
            className="nodrag nopan absolute rounded bg-surface px-1 text-[11px] font-medium text-ok"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {count}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
