// Client workspaces: making, suspending, inviting their owners.
import { Building2, Plus } from "lucide-react";
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useImpersonate } from "../session/impersonation";
import { useMayBeyond } from "../session/session";
import { InviteDialog } from "../scopes/InviteDialog";
import { WORKSPACE_ROLES } from "../scopes/roles";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { NewScopeDialog } from "./NewScopeDialog";
import { ReasonDialog } from "./ReasonDialog";

type Client = Schema<"WorkspaceView">;
type Open = { what: "invite" | "suspend" | "enter"; client: Client } | { what: "make" } | null;

const COLUMNS = [
  "Workspace",
  "Status",
  { text: "Made", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function ClientsPage() {
  const query = $api.useQuery("get", "/api/clients");
  const may = useMayBeyond();
  const mayWrite = may("client:write");
  const impersonate = useImpersonate();
  const reread = useReread();
  const { act } = useAct("/api/clients");
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const clients = query.data?.items ?? [];
  const make = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setOpen({ what: "make" })}>
      New client
    </Button>
  );
  const change = (client: Client, body: Schema<"ClientChangeRequest">) =>
    api.PUT("/api/clients/{id}", { params: { path: { id: client.id } }, body });
  return (
    <Page title="Clients" actions={clients.length > 0 && make}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && clients.length === 0 && (
        <EmptyState
          icon={<Building2 size={24} aria-hidden />}
          title="No client workspaces yet"
          action={make}
        />
      )}
      {clients.length > 0 && (
        <Table label="Client workspaces" columns={COLUMNS}>
          {clients.map((client) => (
            <Row key={client.id}>
              <Cell>
                <span className="block font-medium">{client.display_name}</span>
                <span className="text-xs text-muted">{client.name}</span>
              </Cell>
              <Cell>
                <StatusBadge status={client.status} />
                {client.status_reason && (
                  <span className="block text-xs text-muted">{client.status_reason}</span>
                )}
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={client.created_at} />
              </Cell>
              <Cell className="text-right whitespace-nowrap">
                {impersonate && may("client:impersonate") && client.status === "active" && (
                  <Button size="small" look="quiet" onClick={() => setOpen({ what: "enter", client })}>
                    Act as owner
                  </Button>
                )}
                {mayWrite && (
                  <span className="inline-flex gap-1">
                    <Button size="small" look="quiet" onClick={() => setOpen({ what: "invite", client })}>
                      Invite
                    </Button>
                    {client.status === "suspended" ? (
                      <Button
                        size="small"
                        look="quiet"
                        onClick={() => void act(() => change(client, { suspended: false }))}
                      >
                        Let act again
                      </Button>
                    ) : (
                      <Button
                        size="small"
                        look="quiet"
                        className="text-bad"
                        onClick={() => setOpen({ what: "suspend", client })}
                      >
                        Suspend
                      </Button>
                    )}
                  </span>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {open?.what === "make" && (
        <NewScopeDialog
          title="New client workspace"
          onClose={close}
          onMake={async (body) => {
            await api.POST("/api/clients", { body });
            await reread("/api/clients");
          }}
        />
      )}
      {open?.what === "suspend" && (
        <ReasonDialog
          title={`Suspend “${open.client.display_name}”?`}
          action="Suspend"
          hint="Its members are told. They and their keys are refused, and nothing starts there."
          onClose={close}
          onSubmit={async (reason) => {
            await change(open.client, { suspended: true, reason });
            await reread("/api/clients");
          }}
        />
      )}
      {open?.what === "enter" && impersonate && (
        <ReasonDialog
          title={`Act as the owner of “${open.client.display_name}”?`}
          action="Go in"
          hint="For fifteen minutes. It stays in their trail and in yours, and so does everything you change."
          onClose={close}
          onSubmit={(reason) => impersonate(open.client.id, reason)}
        />
      )}
      {open?.what === "invite" && (
        <InviteDialog
          to={open.client.display_name}
          roles={WORKSPACE_ROLES.toReversed()}
          onClose={close}
          onInvite={async (body) => {
            const path = { id: open.client.id };
            return (await api.POST("/api/clients/{id}/invitations", { params: { path }, body })).data;
          }}
        />
      )}
    </Page>
  );
}
