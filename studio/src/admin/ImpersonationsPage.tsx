// Who acted in somebody else's place, where and why: these entries of the trail, and beginning to do it.
import { UserRoundCheck } from "lucide-react";
import { useState } from "react";

import { $api, type Schema } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { useImpersonate } from "../session/impersonation";
import { useMayBeyond } from "../session/session";
import { Button } from "../ui/Button";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { ImpersonateDialog } from "./ImpersonateDialog";

type Entry = Schema<"EntryView">;

/** What the trail says of the beginning. */
type Beginning = { workspace?: string; reason?: string; expires_at?: number };

const COLUMNS = [
  "When",
  "Who",
  "In whose place",
  { text: "Why", className: "max-sm:hidden" },
  { text: "At most until", className: "max-sm:hidden" },
];

export default function ImpersonationsPage() {
  const query = $api.useInfiniteQuery(
    "get",
    "/api/platform/audit",
    { params: { query: { action: "person.impersonated", limit: 50 } } },
    byCursor,
  );
  const may = useMayBeyond();
  const clients = $api.useQuery("get", "/api/clients", {}, { enabled: may("client:read") });
  const impersonate = useImpersonate();
  const [isBeginning, setBeginning] = useState(false);
  const entries = itemsOf(query.data);
  const begin = impersonate && (
    <Button look="primary" onClick={() => setBeginning(true)}>
      Act in somebody's place
    </Button>
  );
  const nameOf = (id: string | undefined) =>
    clients.data?.items.find((one) => one.id === id)?.display_name ?? id;
  return (
    <Page
      title="Impersonations"
      description="Who acted as a member of a client's workspace. What they changed names both."
      actions={entries.length > 0 && begin}
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.isSuccess && entries.length === 0 && (
        <EmptyState
          icon={<UserRoundCheck size={24} aria-hidden />}
          title="Nobody acted in somebody else's place"
          action={begin}
        />
      )}
      {entries.length > 0 && (
        <Table label="Impersonations" columns={COLUMNS}>
          {entries.map((entry) => (
            <ImpersonationRow
              key={entry.id}
              entry={entry}
              workspace={nameOf((entry.after as Beginning | null)?.workspace)}
            />
          ))}
        </Table>
      )}
      <More query={query} />
      {isBeginning && impersonate && (
        <ImpersonateDialog onBegin={impersonate} onClose={() => setBeginning(false)} />
      )}
    </Page>
  );
}

function ImpersonationRow({ entry, workspace }: { entry: Entry; workspace: string | undefined }) {
  const { reason, expires_at } = (entry.after ?? {}) as Beginning;
  return (
    <Row>
      <Cell className="text-muted">
        <Time at={entry.at} />
      </Cell>
      <Cell className="max-w-56">
        <span className="block truncate" title={entry.actor.id}>
          {entry.actor.name || entry.actor.id}
        </span>
        {entry.actor.address && <span className="block text-xs text-muted">{entry.actor.address}</span>}
      </Cell>
      <Cell className="max-w-56">
        <PersonName id={entry.target.id} known={entry.target.name} />
        <span className="block truncate text-xs text-muted">in {workspace}</span>
        <span className="block text-xs break-words text-muted sm:hidden">{reason}</span>
      </Cell>
      <Cell className="max-w-64 break-words max-sm:hidden">{reason}</Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={expires_at} />
      </Cell>
    </Row>
  );
}

/** Trails know people by their ids; whoever may see people is told the name. */
function PersonName({ id, known }: { id: string; known: string }) {
  const isAsked = useMayBeyond()("person:read") && !known;
  const { data } = $api.useQuery(
    "get",
    "/api/people/{id}",
    { params: { path: { id } } },
    { enabled: isAsked, staleTime: Infinity, retry: false },
  );
  return (
    <span className="block truncate" title={id}>
      {known || data?.name || id}
    </span>
  );
}
