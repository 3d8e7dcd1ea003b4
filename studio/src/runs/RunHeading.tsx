// The head of a run's page: what it is, how it stands, and what a person should know first.
import { Link } from "react-router";

import type { Schema } from "../api/client";
import { Badge, StatusBadge } from "../ui/Badge";
import { Note } from "../ui/Note";
import { span } from "../ui/time";
import { Time, useNow } from "../ui/Time";
import { attentionWords, nameOfNode, runSpan, waitOf, waitWords } from "./words";

type RunView = Schema<"RunView">;

export function RunHeading({ run }: { run: RunView }) {
  const now = useNow();
  const took = runSpan(run, now);
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span className="truncate">{run.workflow_name}</span>
      <StatusBadge status={run.status} />
      <Badge>{run.version === 0 ? "draft" : `v${run.version}`}</Badge>
      {run.is_test && <Badge>test</Badge>}
      {run.dry_run && <Badge>no outside effects</Badge>}
      <span className="text-sm font-normal text-muted">
        <Time at={run.created_at} />
        {took !== null && ` · ${span(took)}`}
      </span>
    </span>
  );
}

/** What stands in the way, what is waited for, what is wrong. */
export function RunNotes({ run }: { run: RunView }) {
  const waiting = run.nodes.filter((node) => node.status === "waiting" && waitOf(node));
  return (
    <div className="flex flex-col gap-2 empty:hidden">
      {run.attention && <Note tone="bad">{attentionWords(run.attention)}</Note>}
      {run.damage && <Note tone="warn">A part of this run is lost: {run.damage}</Note>}
      {run.error && (
        <Note tone="bad">
          {run.error.node && <span className="font-medium">{run.error.node}: </span>}
          {run.error.message} <code className="text-xs text-muted">{run.error.code}</code>
        </Note>
      )}
      {waiting.map((node) => (
        <Note key={`${node.id} ${node.iteration}`} tone="warn">
          <span className="font-medium">{nameOfNode(node)}: </span>
          {waitWords(waitOf(node) ?? {})}
        </Note>
      ))}
      {run.parent_run_id && (
        <Note>
          Called by{" "}
          <Link to={`/runs/${run.parent_run_id}`} className="underline underline-offset-2">
            another run
          </Link>
          .
        </Note>
      )}
    </div>
  );
}
