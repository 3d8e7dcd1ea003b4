// Erasures that are under way, and the sealed proofs of those that are done.
import { useEffect, useRef, useState } from "react";

import { $api, type Schema } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { useReread } from "../api/useAct";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { JsonView } from "../ui/JsonView";
import { More } from "../ui/More";
import { EmptyState, ErrorNote, Note } from "../ui/Note";
import { Section } from "../ui/Page";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { exactTime } from "../ui/time";

type Erasure = Schema<"ErasureView">;

const COLUMNS = [
  "Asked",
  "State",
  { text: "Erased", className: "max-sm:hidden" },
  { text: "Details", isHidden: true },
];

/** What the phases of an erasure do. */
const PHASES: Record<Schema<"PhaseView">, string> = {
  stopping: "stopping runs",
  leaving: "the contact goes",
  bodies: "provider bodies go",
  runs: "runs go",
  messages: "messages go",
  late: "late bodies go",
  scrubbing: "the file is written anew",
  done: "done",
};

export function Erasures() {
  const query = $api.useInfiniteQuery(
    "get",
    "/api/erasures",
    { params: { query: { limit: 20 } } },
    {
      ...byCursor,
      // It goes on by itself, and nothing tells of it: ask for as long as one is under way.
      refetchInterval: ({ state }) =>
        itemsOf(state.data).some((one) => one.phase !== "done") ? 2000 : false,
    },
  );
  const [shown, setShown] = useState<string | null>(null);
  const erasures = itemsOf(query.data);
  useContactsGone(erasures);
  const open = erasures.find((one) => one.id === shown);
  return (
    <Section title="Erasures" description="What was erased, with its proof. Holds no personal data.">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isSuccess && erasures.length === 0 && <EmptyState title="Nobody was erased yet" />}
      {erasures.length > 0 && (
        <Table label="Erasures" columns={COLUMNS}>
          {erasures.map((erasure) => (
            <Row key={erasure.id}>
              <Cell className="text-muted">
                <Time at={erasure.asked_at} />
              </Cell>
              <Cell>
                <ErasureState erasure={erasure} />
                {erasure.note && <span className="block text-xs text-muted">{erasure.note}</span>}
              </Cell>
              <Cell className="text-xs text-muted max-sm:hidden">{countsOf(erasure)}</Cell>
              <Cell className="text-right">
                <Button size="small" look="quiet" onClick={() => setShown(erasure.id)}>
                  Proof<span className="sr-only"> of {erasure.id}</span>
                </Button>
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <More query={query} />
      {open && <ProofDialog erasure={open} onClose={() => setShown(null)} />}
    </Section>
  );
}

/** A contact goes some time after it was asked for: then the list of customers is old. */
function useContactsGone(erasures: Erasure[]) {
  const reread = useReread();
  const gone = erasures.filter((one) => one.left_at !== null).length;
  const before = useRef(gone);
  useEffect(() => {
    if (gone > before.current) void reread("/api/contacts");
    before.current = gone;
  });
}

const countsOf = ({ counts }: Erasure) =>
  Object.entries(counts as Record<string, number>)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count.toLocaleString("en")} ${kind.replaceAll("_", " ")}`)
    .join(", ");

function ErasureState({ erasure: { phase, verified } }: { erasure: Erasure }) {
  if (phase !== "done") return <Badge tone="busy">{PHASES[phase]}</Badge>;
  if (verified === false) return <Badge tone="bad">changed since</Badge>;
  return <Badge tone={verified ? "ok" : "muted"}>{verified ? "done, seal holds" : "done"}</Badge>;
}

function ProofDialog({ erasure, onClose }: { erasure: Erasure; onClose: () => void }) {
  const isDone = erasure.finished_at !== null;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={isDone ? "Proof of an erasure" : "An erasure under way"}
      description={erasure.id}
      actions={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex flex-col gap-3 text-sm">
        {erasure.verified !== null && (
          <Note tone={erasure.verified ? "info" : "bad"}>
            {erasure.verified
              ? "The record is as it was sealed."
              : "The record is not as it was sealed: somebody changed it."}
          </Note>
        )}
        <p className="text-muted">
          Asked for {exactTime(erasure.asked_at)} by <code className="text-xs">{erasure.asked_by}</code>;{" "}
          {erasure.finished_at ? `finished ${exactTime(erasure.finished_at)}` : PHASES[erasure.phase]}.
        </p>
        <JsonView label="The record" value={erasure} />
      </div>
    </Dialog>
  );
}
