// Everything that is wrong with the draft, as it is being edited. Choosing a problem leads to its place.
import { useReactFlow } from "@xyflow/react";
import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";

import type { Problem } from "../graph/document";
import { sorted } from "../graph/problems";
import { pointerOf, stepsOf } from "../graph/pointer";
import { Spinner } from "../ui/Spinner";
import { useBuilder, useBuilderState, useDocument } from "./context";
import { openNode, select } from "./store";

/** Shows the place of a problem: its node, and the field in it. */
export function useShowProblem() {
  const builder = useBuilder();
  const flow = useReactFlow();
  const document = useDocument();
  return (problem: Problem) => {
    const [field, place, ...inside] = stepsOf(problem.path);
    const id = problem.node ?? (field === "nodes" ? document.nodes[Number(place)]?.id : undefined);
    if (!id) return builder.setState({ dock: "workflow" });
    select(builder, [id]);
    openNode(builder, id, inside.length ? pointerOf(inside) : null);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 200 });
  };
}

export function ProblemsPanel() {
  const problems = useBuilderState((state) => state.problems);
  const isChecking = useBuilderState((state) => state.isChecking);
  const show = useShowProblem();
  return (
    <section aria-label="Problems" className="flex flex-col gap-1 overflow-y-auto p-3">
      <div role="status" className="mb-1 flex items-center gap-2 text-xs text-muted">
        {isChecking ? (
          <Spinner size={13} />
        ) : (
          problems.length === 0 && <CircleCheck size={14} className="text-ok" aria-hidden />
        )}
        {isChecking
          ? "Checking"
          : problems.length === 0
            ? "Nothing is wrong with this draft."
            : `${problems.length} found`}
      </div>
      <ul className="flex flex-col gap-1">
        {sorted(problems).map((problem) => (
          <li key={problem.code + problem.path + problem.message}>
            <button
              type="button"
              onClick={() => show(problem)}
              className="flex w-full items-start gap-2 rounded-md border border-line p-2 text-left text-sm hover:bg-raised"
            >
              {problem.severity === "error" ? (
                <CircleAlert size={15} className="mt-0.5 shrink-0 text-bad" aria-label="Error" />
              ) : (
                <TriangleAlert size={15} className="mt-0.5 shrink-0 text-warn" aria-label="Warning" />
              )}
              <span className="min-w-0">
                <span className="block break-words">{problem.message}</span>
                <span className="block truncate text-[11px] text-muted">
                  {problem.node ? `${problem.node} · ` : ""}
                  {problem.code}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
