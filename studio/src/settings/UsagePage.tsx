// What the workspace used, day by day, and what its plan leaves.
import { lazy, Suspense, useMemo, useState } from "react";

import { $api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Field } from "../ui/Field";
import { Select } from "../ui/Input";
import { Meter } from "../ui/Meter";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, Row, Table } from "../ui/Table";
import { barsOf, kindsOf, sumsOf } from "./usage";

const UsageChart = lazy(() => import("./UsageChart"));
const DAY = 86_400_000;
const SPANS = [7, 30, 90];
const count = new Intl.NumberFormat("en");

export default function UsagePage() {
  const [days, setDays] = useState(30);
  const [now] = useState(() => Date.now());
  const from = now - (days - 1) * DAY;
  const query = $api.useQuery("get", "/api/usage", { params: { query: { from, by: "day" } } });
  const items = useMemo(() => query.data?.items ?? [], [query.data]);
  const bars = useMemo(() => barsOf(items, from, now), [items, from, now]);
  const names = useWorkflowNames();
  return (
    <Page
      title="Usage"
      actions={
        <Field label="Span" isLabelHidden>
          {(ids) => (
            <Select {...ids} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {SPANS.map((span) => (
                <option key={span} value={span}>
                  Last {span} days
                </option>
              ))}
            </Select>
          )}
        </Field>
      }
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && items.length === 0 && <EmptyState title="Nothing was used in this time." />}
      {items.length > 0 && (
        <>
          <div className="rounded-lg border border-line bg-surface p-3">
            <Suspense fallback={<Loading />}>
              <UsageChart days={bars} kinds={kindsOf(items)} />
            </Suspense>
          </div>
          <Table label="Sums" columns={["What", "Of which", { text: "Pieces", className: "text-right" }]}>
            {sumsOf(items, names).map(({ kind, of, quantity }) => (
              <Row key={`${kind} ${of}`}>
                <Cell>{kind}</Cell>
                <Cell className="max-w-64 truncate text-muted" title={of}>
                  {of}
                </Cell>
                <Cell className="text-right tabular-nums">{count.format(quantity)}</Cell>
              </Row>
            ))}
          </Table>
        </>
      )}
      <Allowances />
    </Page>
  );
}

/** What people call the workflows whose runs were counted. */
function useWorkflowNames(): ReadonlyMap<string, string> {
  const isKnown = useMay()("workflow:read");
  const { data } = $api.useQuery(
    "get",
    "/api/workflows",
    { params: { query: { limit: 200 } } },
    { enabled: isKnown, staleTime: 60_000 },
  );
  return useMemo(() => new Map(data?.items.map(({ id, name }) => [id, name])), [data]);
}

function Allowances() {
  const { data } = $api.useQuery("get", "/api/usage/allowances");
  if (!data || data.items.length === 0) return null;
  return (
    <Section title="What the plan leaves">
      <ul className="grid gap-2 sm:grid-cols-2">
        {data.items.map((one) => (
          <li key={one.kind} className="rounded-lg border border-line bg-surface p-3">
            <Allowance allowance={one} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Allowance({ allowance: { kind, used, limit } }: { allowance: Schema<"AllowanceView"> }) {
  const name = kind.replaceAll("_", " ");
  return (
    <>
      <p className="flex justify-between text-sm">
        <span>{name}</span>
        <span className="text-muted tabular-nums">
          {count.format(used)}
          {limit === null ? ", without limit" : ` of ${count.format(limit)}`}
        </span>
      </p>
      {limit !== null && <Meter label={name} value={used} max={limit} />}
    </>
  );
}
