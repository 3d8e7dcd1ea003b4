// Client workspaces: which there are, how they stand, and making one.
import { Building2, Plus } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { $api, api } from "../api/client";
import { useReread } from "../api/useAct";
import { useMayBeyond } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { ClientActions } from "./ClientActions";
import { NewScopeDialog } from "./NewScopeDialog";

const COLUMNS = [
  "Workspace",
  "Status",
  { text: "Made", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function ClientsPage() {
  const query = $api.useQuery("get", "/api/clients");
  const mayWrite = useMayBeyond()("client:write");
  const reread = useReread();
  const [isMaking, setMaking] = useState(false);
  const clients = query.data?.items ?? [];
  const make = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New client
    </Button>
  );
  return (
    <Page title="Clients" actions={clients.length > 0 && make}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && clients.length === 0 && (
        <EmptyState icon={<Building2 size={24} aria-hidden />} title="No client workspaces yet" action={make}>
          Each client has a workspace with data of its own. Make it, then invite its owner.
        </EmptyState>
      )}
      {clients.length > 0 && (
        <Table label="Client workspaces" columns={COLUMNS}>
          {clients.map((client) => (
            <Row key={client.id}>
              <NameCell
                name={
                  <Link to={`/admin/clients/${client.id}`} className="underline-offset-2 hover:underline">
                    {client.display_name}
                  </Link>
                }
                title={client.display_name}
                below={client.name}
              />
              <Cell className="max-w-48">
                <StatusBadge status={client.status} />
                {client.status_reason && (
                  <span
                    className="line-clamp-2 text-xs wrap-anywhere text-muted"
                    title={client.status_reason}
                  >
                    {client.status_reason}
                  </span>
                )}
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={client.created_at} />
              </Cell>
              <Cell className="py-1 text-right">
                <ClientActions client={client} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {isMaking && (
        <NewScopeDialog
          title="New client workspace"
          onClose={() => setMaking(false)}
          onMake={async (body) => {
            await api.POST("/api/clients", { body });
            await reread("/api/clients");
          }}
        />
      )}
    </Page>
  );
}
