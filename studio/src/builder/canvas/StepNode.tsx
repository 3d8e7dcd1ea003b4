// One node of the workflow on the canvas: name, type, ports, how its run stands, what is wrong with it. Must not know any
// type by name: what it looks like follows from what the catalogue says of the type.
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { Ban, CircleAlert, Pin, TriangleAlert } from "lucide-react";
import { memo, use } from "react";

import type { NodeType, Ports } from "../../graph/catalogue";
import { ERROR, nameOf } from "../../graph/document";
import type { StepElement } from "../../graph/elements";
import type { NodeState } from "../../graph/runStates";
import { listedOutputs, portTop, rowsOf } from "../../graph/size";
import { cx } from "../../ui/cx";
import { useMarks } from "../marks";
import { FarContext } from "./detail";
import { FarStep } from "./FarStep";
import { lookOf } from "./look";

const frames: Partial<Record<NodeState["status"], string>> = {
  running: "border-busy step-running",
  waiting: "border-warn ring-2 ring-warn/30",
  succeeded: "border-ok ring-1 ring-ok/30",
  failed: "border-bad ring-2 ring-bad/30",
  skipped: "border-dashed border-line opacity-60",
  cancelled: "border-dashed border-line opacity-60",
};

export const StepNode = memo(function StepNode({ id, data, selected }: NodeProps<StepElement>) {
  return use(FarContext) ? (
    <FarStep id={id} node={data.node} type={data.type} isSelected={selected} />
  ) : (
    <NearStep id={id} data={data} isSelected={selected} />
  );
});

type NearStepProps = { id: string; data: StepElement["data"]; isSelected: boolean };

function NearStep({ id, data, isSelected }: NearStepProps) {
  const { node, type, ports } = data;
  const state = useMarks((marks) => marks.states[id]);
  const isPinned = useMarks((marks) => marks.pinned.has(id));
  const rows = rowsOf(ports);
  return (
    <div
      data-status={state?.status}
      className={cx(
        "h-full w-full rounded-lg border bg-surface text-left",
        (state && frames[state.status]) ?? "border-line",
        isSelected && "outline-2 outline-offset-1 outline-accent",
        node.disabled && "border-dashed opacity-60",
      )}
    >
      <div className="flex h-[50px] items-center gap-2 px-2.5">
        <TypeIcon type={type} />
        <div className="min-w-0 flex-1">
          <div className="truncate text-[13px] leading-4 font-medium">{nameOf(node)}</div>
          <div className="truncate text-[11px] leading-4 text-muted">{type?.title ?? node.type}</div>
        </div>
        {node.disabled && <Ban size={13} className="shrink-0 text-muted" aria-label="Disabled" />}
        {isPinned && <Pin size={13} className="shrink-0 text-warn" aria-label="Its output is pinned" />}
        <ProblemMark id={id} />
      </div>
      {ports && <PortHandles ports={ports} rows={rows} counts={state?.counts} />}
      {ports && <FailureHandle id={id} />}
      {state && <StateLine state={state} />}
    </div>
  );
}

/** What a type looks like follows from what it does. */
export function TypeIcon({ type, size = 16 }: { type: NodeType | undefined; size?: number }) {
  const look = lookOf(type);
  return (
    <span
      aria-hidden
      className={cx("flex shrink-0 items-center justify-center rounded-md", look.tint)}
      style={{ width: size + 12, height: size + 12 }}
    >
      <look.icon size={size} />
    </span>
  );
}

function ProblemMark({ id }: { id: string }) {
  const problems = useMarks((marks) => marks.problems.get(id));
  if (!problems) return null;
  const text = problems.list.map((problem) => problem.message).join("\n");
  return problems.errors ? (
    <span title={text} className="shrink-0 text-bad" role="img" aria-label={`${problems.errors} errors`}>
      <CircleAlert size={15} aria-hidden />
    </span>
  ) : (
    <span title={text} className="shrink-0 text-warn" role="img" aria-label={`${problems.warnings} warnings`}>
      <TriangleAlert size={15} aria-hidden />
    </span>
  );
}

type HandlesProps = { ports: Ports; rows: number; counts?: Record<string, number> };

const PortHandles = memo(function PortHandles({ ports, rows, counts }: HandlesProps) {
  const outputs = listedOutputs(ports);
  return (
    <>
      {ports.inputs.map((port, row) => (
        <div key={port.name}>
          <Handle
            type="target"
            position={Position.Left}
            id={port.name}
            style={{ top: portTop(row, rows) }}
            title={port.help || port.name}
          />
          {rows > 0 && ports.inputs.length > 1 && (
            <span className="absolute left-3 text-[11px] text-muted" style={{ top: portTop(row, rows) - 8 }}>
              {port.name}
            </span>
          )}
        </div>
      ))}
      {outputs.map((port, row) => (
        <div key={port.name}>
          <Handle
            type="source"
            position={Position.Right}
            id={port.name}
            style={{ top: portTop(row, rows) }}
            title={port.help || port.name}
          />
          {rows > 0 && (
            <span
              className="absolute right-3 max-w-[85%] truncate text-[11px] text-muted"
              style={{ top: portTop(row, rows) - 8 }}
            >
              {port.name}
              {counts?.[port.name] ? <b className="ml-1 font-semibold text-ok">{counts[port.name]}</b> : null}
            </span>
          )}
        </div>
      ))}
    </>
  );
});

/** Failures leave below; the dot shows when it is of use. */
const FailureHandle = ({ id }: { id: string }) => {
  const failed = useMarks((marks) => marks.states[id]?.status === "failed");
  return (
    <Handle
      type="source"
      position={Position.Bottom}
      id={ERROR}
      className={cx("failures", failed && "used")}
      title="Failures, when they are routed"
    />
  );
};

function StateLine({ state }: { state: NodeState }) {
  const parts = [
    state.ms !== undefined && duration(state.ms),
    (state.runs ?? 0) > 1 && `${state.runs} runs`,
    (state.attempt ?? 0) > 1 && `attempt ${state.attempt}`,
  ].filter(Boolean);
  return (
    <div
      className={cx(
        "absolute top-full left-0 mt-0.5 max-w-full truncate text-[11px]",
        state.status === "failed" ? "text-bad" : "text-muted",
      )}
      title={state.error}
    >
      <span className="sr-only">{state.status} </span>
      {state.status === "failed" && state.error ? state.error : parts.join(" · ")}
    </div>
  );
}

const duration = (ms: number) => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`);
