// One run: the canvas lit as it went, its steps in order, and what each node got, gave and said.
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useParams } from "react-router";

import type { Schema } from "../api/client";
import { statesOfRun } from "../graph/runStates";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { LiveBadge } from "./LiveBadge";
import { NodeDetail } from "./NodeDetail";
import { RunActions } from "./RunActions";
import { RunHeading, RunNotes } from "./RunHeading";
import { Steps } from "./Steps";
import { useRun } from "./useRun";
import { isOver, stepsOf, type NodeRun } from "./words";

const RunCanvas = lazy(() => import("./RunCanvas"));

export default function RunPage() {
  const { id = "" } = useParams();
  const { run, error, refetch, states, stream } = useRun(id);
  if (!run) {
    return (
      <Page title="Run">
        <ErrorNote error={error} onRetry={refetch} />
        {!error && <Loading />}
      </Page>
    );
  }
  return (
    <Page
      isFull
      title={`Run of ${run.workflow_name}`}
      heading={<RunHeading run={run} />}
      description={run.id}
      actions={
        <>
          {!isOver(run) && <LiveBadge state={stream} />}
          <RunActions run={run} />
        </>
      }
    >
      <RunNotes run={run} />
      <Trace key={run.id} run={run} live={states} />
    </Page>
  );
}

/** What is chosen: a node, at one of its iterations. */
type Chosen = Pick<NodeRun, "id" | "iteration">;

function Trace({ run, live }: { run: Schema<"RunView">; live: ReturnType<typeof useRun>["states"] }) {
  const steps = useMemo(() => stepsOf(run.nodes), [run.nodes]);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [isReplaying, setReplaying] = useState(false);
  const place = chosen
    ? steps.findIndex((one) => one.id === chosen.id && one.iteration === chosen.iteration)
    : -1;
  const states = useMemo(() => {
    if (isReplaying && place >= 0) return statesOfRun({ nodes: steps.slice(0, place + 1) });
    return { ...statesOfRun(run), ...live };
  }, [isReplaying, place, steps, run, live]);
  const chooseNode = useCallback(
    (id: string | null) => {
      const latest = run.nodes.findLast((one) => one.id === id);
      setChosen(latest ? { id: latest.id, iteration: latest.iteration } : null);
    },
    [run.nodes],
  );
  const shown = chosen
    ? run.nodes.find((one) => one.id === chosen.id && one.iteration === chosen.iteration)
    : undefined;
  return (
    <div className="grid min-h-0 flex-1 gap-3 lg:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="h-72 overflow-hidden rounded-lg border border-line bg-surface lg:h-auto lg:min-h-96">
        <Suspense fallback={<Loading what="Loading the canvas" />}>
          <RunCanvas run={run} states={states} selected={chosen?.id ?? null} onSelect={chooseNode} />
        </Suspense>
      </div>
      <div className="flex min-h-0 flex-col gap-3">
        <Steps
          steps={steps}
          place={place}
          isReplaying={isReplaying}
          onChoose={(index) => {
            const step = steps[index];
            if (step) setChosen({ id: step.id, iteration: step.iteration });
          }}
          onReplay={setReplaying}
        />
        <div className="min-h-0 flex-1 overflow-y-auto rounded-lg border border-line bg-surface p-3">
          {shown ? (
            <NodeDetail key={`${shown.id} ${shown.iteration}`} run={run} node={shown} />
          ) : (
            <EmptyState title="Choose a node">
              On the canvas or in the list of steps: then its input, output, errors and log are shown here.
            </EmptyState>
          )}
        </div>
      </div>
    </div>
  );
}
