// All runs of the workspace, newest first, as they are now.
import { Zap } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";

import { $api, type Schema } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { Badge, StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, Row, Table } from "../ui/Table";
import { span } from "../ui/time";
import { Time, useNow } from "../ui/Time";
import { questionOf, readFilters, writeFilters } from "./filters";
import { LiveBadge } from "./LiveBadge";
import { RunFilterBar } from "./RunFilterBar";
import { useLiveRuns } from "./useLiveRuns";
import { runSpan } from "./words";

const COLUMNS = [
  "Run",
  "Status",
  { text: "Began", className: "max-sm:hidden" },
  { text: "Took", className: "max-sm:hidden" },
  { text: "Trigger", className: "max-md:hidden" },
];

export default function RunsPage() {
  const [query, setQuery] = useSearchParams();
  const filters = readFilters(query);
  // A span is counted from when it was chosen: a list that asks anew each minute would jump.
  const [begun, setBegun] = useState(() => Date.now());
  const live = useLiveRuns(filters);
  const runs = $api.useInfiniteQuery(
    "get",
    "/api/runs",
    { params: { query: { ...questionOf(filters, begun), limit: 50 } } },
    byCursor,
  );
  const items = itemsOf(runs.data);
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Page title="Runs" actions={<LiveBadge state={live} />}>
      <RunFilterBar
        filters={filters}
        onChange={(changed) => {
          setBegun(Date.now());
          setQuery(writeFilters(changed), { replace: true });
        }}
      />
      <ErrorNote error={runs.error} onRetry={() => void runs.refetch()} />
      {runs.isPending && !runs.error && <Loading />}
      {runs.data && items.length === 0 && (
        <EmptyState
          icon={<Zap size={24} aria-hidden />}
          title={isFiltered ? "No run is like that." : "Nothing has run yet"}
          action={isFiltered && <Button onClick={() => setQuery({})}>All runs</Button>}
        >
          {!isFiltered &&
            "A run begins when the trigger of a published workflow fires, or when you test a draft."}
        </EmptyState>
      )}
      {items.length > 0 && (
        <Table label="Runs" columns={COLUMNS}>
          {items.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </Table>
      )}
      <More query={runs} />
    </Page>
  );
}

function RunRow({ run }: { run: Schema<"RunSummary"> }) {
  const now = useNow();
  const took = runSpan({ started_at: run.started_at ?? null, ended_at: run.ended_at ?? null }, now);
  return (
    <Row data-run={run.id}>
      <Cell className="max-w-72 min-w-28">
        <Link to={`/runs/${run.id}`} className="block truncate font-medium hover:underline">
          {run.workflow_name ?? run.workflow_id}
        </Link>
        <span className="flex items-center gap-1 text-xs text-muted">
          {run.is_test ? "test" : `v${run.version}`}
          <span className="sm:hidden">
            <Time at={run.created_at} />
          </span>
          {run.error && <span className="truncate text-bad">{run.error.message}</span>}
        </span>
      </Cell>
      <Cell>
        <StatusBadge status={run.status} />
        {run.attention && (
          <Badge tone="bad" className="sm:ml-1">
            look
          </Badge>
        )}
      </Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={run.created_at} />
      </Cell>
      <Cell className="text-muted max-sm:hidden">{took === null ? "–" : span(took)}</Cell>
      <Cell className="font-mono text-xs text-muted max-md:hidden">{run.trigger_type}</Cell>
    </Row>
  );
}
