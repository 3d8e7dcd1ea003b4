// The people of the installation: who waits to be let in, and who must stay out.
import { Users } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";

import { $api, api, type Schema } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { useAct, useReread } from "../api/useAct";
import { useMayBeyond } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Select } from "../ui/Input";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { ReasonDialog } from "./ReasonDialog";

type Person = Schema<"PersonView">;
type Status = Schema<"AccountStatus">;
type Open = { what: "reject" | "suspend"; person: Person } | null;

const STATUSES: Status[] = ["under_review", "approved", "pending_verification", "rejected", "suspended"];
const COLUMNS = [
  "Person",
  "Status",
  { text: "Business", className: "max-sm:hidden" },
  { text: "Signed up", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function PeoplePage() {
  const [address, setAddress] = useSearchParams();
  const status = STATUSES.find((one) => one === address.get("status"));
  const query = $api.useInfiniteQuery(
    "get",
    "/api/people",
    { params: { query: { status, limit: 50 } } },
    byCursor,
  );
  const reread = useReread();
  const [open, setOpen] = useState<Open>(null);
  const people = itemsOf(query.data);
  return (
    <Page title="People">
      <Field label="Status" className="w-48">
        {(ids) => (
          <Select
            {...ids}
            value={status ?? ""}
            onChange={(event) => setAddress(event.target.value ? { status: event.target.value } : {})}
          >
            <option value="">Any</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {one.replaceAll("_", " ")}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && people.length === 0 && (
        <EmptyState icon={<Users size={24} aria-hidden />} title="Nobody is like that." />
      )}
      {people.length > 0 && (
        <Table label="People" columns={COLUMNS}>
          {people.map((person) => (
            <PersonRow key={person.id} person={person} onAsk={(what) => setOpen({ what, person })} />
          ))}
        </Table>
      )}
      <More query={query} />
      {open && (
        <ReasonDialog
          title={`${open.what === "reject" ? "Reject" : "Suspend"} ${open.person.name}?`}
          action={open.what === "reject" ? "Reject" : "Suspend"}
          hint={
            open.what === "reject"
              ? "The person is told."
              : "Their sessions end, and they cannot come in any more."
          }
          onClose={() => setOpen(null)}
          onSubmit={async (reason) => {
            const options = { params: { path: { id: open.person.id } }, body: { reason } };
            if (open.what === "reject") await api.POST("/api/people/{id}/reject", options);
            else await api.POST("/api/people/{id}/suspend", options);
            await reread("/api/people");
          }}
        />
      )}
    </Page>
  );
}

function PersonRow({ person, onAsk }: { person: Person; onAsk: (what: "reject" | "suspend") => void }) {
  const mayWrite = useMayBeyond()("person:write");
  const { act, isBusy } = useAct("/api/people");
  const isIn = person.status === "approved";
  const approve = () => api.POST("/api/people/{id}/approve", { params: { path: { id: person.id } } });
  return (
    <Row>
      <NameCell name={person.name} title={person.email} below={person.email} />
      <Cell>
        <StatusBadge status={person.status} />
        {person.status_reason && (
          <span
            className="line-clamp-2 max-w-48 text-xs wrap-anywhere text-muted"
            title={person.status_reason}
          >
            {person.status_reason}
          </span>
        )}
      </Cell>
      <Cell className="text-muted max-sm:hidden">{person.business_name}</Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={person.created_at} />
      </Cell>
      <Cell className="text-right whitespace-nowrap">
        {mayWrite && (
          <span className="inline-flex gap-1">
            {!isIn && person.status !== "pending_verification" && (
              <Button
                size="small"
                busy={isBusy}
                onClick={() => void act(approve, `${person.name} may come in.`)}
              >
                Approve
              </Button>
            )}
            {person.status === "under_review" && (
              <Button size="small" look="quiet" className="text-bad" onClick={() => onAsk("reject")}>
                Reject
              </Button>
            )}
            {isIn && (
              <Button size="small" look="quiet" className="text-bad" onClick={() => onAsk("suspend")}>
                Suspend
              </Button>
            )}
          </span>
        )}
      </Cell>
    </Row>
  );
}
