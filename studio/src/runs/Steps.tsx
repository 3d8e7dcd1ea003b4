// The steps of a run in order, and the buttons that walk through them. Only those in sight are drawn: a run may have
// thousands. Must not know the canvas.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useRef } from "react";

import { toneOf } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { span } from "../ui/time";
import { nameOfNode, type NodeRun } from "./words";

const HEIGHT = 34;
const dots = {
  ok: "bg-ok",
  bad: "bg-bad",
  warn: "bg-warn",
  busy: "bg-busy animate-pulse motion-reduce:animate-none",
  muted: "bg-muted",
};

type StepsProps = {
  steps: NodeRun[];
  /** Index of the chosen step; -1 when it is none of them. */
  place: number;
  /** The canvas shows the run as it stood after the chosen step. */
  isReplaying: boolean;
  onChoose: (index: number) => void;
  onReplay: (isReplaying: boolean) => void;
};

export function Steps({ steps, place, isReplaying, onChoose, onReplay }: StepsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: steps.length,
    getScrollElement: () => frame.current,
    estimateSize: () => HEIGHT,
    overscan: 8,
  });
  useEffect(() => {
    if (place >= 0) rows.scrollToIndex(place);
  }, [place, rows]);
  const walk = (index: number) => {
    onReplay(true);
    onChoose(Math.min(Math.max(index, 0), steps.length - 1));
  };
  return (
    <section aria-label="Steps" className="flex shrink-0 flex-col rounded-lg border border-line bg-surface">
      <header className="flex items-center gap-1 border-b border-line px-2 py-1">
        <h2 className="flex-1 text-xs font-medium text-muted">
          {isReplaying && place >= 0 ? `Step ${place + 1} of ${steps.length}` : `${steps.length} steps`}
        </h2>
        {isReplaying && (
          <Button size="small" look="quiet" onClick={() => onReplay(false)}>
            Whole run
          </Button>
        )}
        <IconButton
          label="One step back"
          size="small"
          disabled={steps.length === 0 || place === 0}
          onClick={() => walk(place < 0 ? steps.length - 1 : place - 1)}
        >
          <ChevronLeft size={16} aria-hidden />
        </IconButton>
        <IconButton
          label="One step on"
          size="small"
          disabled={steps.length === 0 || place === steps.length - 1}
          onClick={() => walk(place + 1)}
        >
          <ChevronRight size={16} aria-hidden />
        </IconButton>
      </header>
      <div ref={frame} className="max-h-52 min-h-20 overflow-y-auto p-1">
        <ol style={{ height: rows.getTotalSize() }} className="relative">
          {rows.getVirtualItems().map((row) => {
            const step = steps[row.index];
            return (
              step && (
                <li
                  key={row.key}
                  aria-setsize={steps.length}
                  aria-posinset={row.index + 1}
                  style={{ transform: `translateY(${row.start}px)`, height: row.size }}
                  className="absolute inset-x-0 top-0"
                >
                  <Step
                    step={step}
                    isChosen={row.index === place}
                    isAhead={isReplaying && row.index > place}
                    onChoose={() => onChoose(row.index)}
                  />
                </li>
              )
            );
          })}
        </ol>
      </div>
    </section>
  );
}

type StepProps = { step: NodeRun; isChosen: boolean; isAhead: boolean; onChoose: () => void };

function Step({ step, isChosen, isAhead, onChoose }: StepProps) {
  const took = step.started_at && step.ended_at ? span(step.ended_at - step.started_at) : step.status;
  return (
    <button
      type="button"
      aria-current={isChosen ? "step" : undefined}
      onClick={onChoose}
      className={cx(
        "flex h-8 w-full cursor-pointer items-center gap-2 rounded px-2 text-left text-sm",
        isChosen ? "bg-raised font-medium" : "hover:bg-raised/60",
        isAhead && "opacity-60",
      )}
    >
      <span aria-hidden className={cx("size-2 shrink-0 rounded-full", dots[toneOf(step.status)])} />
      <span className="min-w-0 flex-1 truncate">
        {nameOfNode(step)}
        {step.iteration > 0 && <span className="text-muted"> #{step.iteration + 1}</span>}
      </span>
      <span className="sr-only">{step.status}</span>
      <span className="shrink-0 text-xs text-muted">{took}</span>
    </button>
  );
}
