// Resellers: making, suspending, inviting who runs them.
import { Plus, Store } from "lucide-react";
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMayBeyond } from "../session/session";
import { InviteDialog } from "../scopes/InviteDialog";
import { RESELLER_ROLES } from "../scopes/roles";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { NewScopeDialog } from "./NewScopeDialog";

type Reseller = Schema<"ResellerView">;

const COLUMNS = [
  "Reseller",
  "Status",
  { text: "Made", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function ResellersPage() {
  const query = $api.useQuery("get", "/api/resellers");
  const mayWrite = useMayBeyond()("reseller:write");
  const reread = useReread();
  const { act } = useAct("/api/resellers");
  const [isMaking, setMaking] = useState(false);
  const [inviting, setInviting] = useState<Reseller | null>(null);
  const resellers = query.data?.items ?? [];
  const make = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New reseller
    </Button>
  );
  const suspend = ({ id }: Reseller, suspended: boolean) =>
    api.PUT("/api/resellers/{id}", { params: { path: { id } }, body: { suspended } });
  return (
    <Page title="Resellers" actions={resellers.length > 0 && make}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && resellers.length === 0 && (
        <EmptyState icon={<Store size={24} aria-hidden />} title="No resellers yet" action={make}>
          A reseller runs workspaces of its own clients, and of nobody else.
        </EmptyState>
      )}
      {resellers.length > 0 && (
        <Table label="Resellers" columns={COLUMNS}>
          {resellers.map((reseller) => {
            const isSuspended = reseller.status === "suspended";
            return (
              <Row key={reseller.id}>
                <NameCell name={reseller.display_name} title={reseller.display_name} below={reseller.name} />
                <Cell>
                  <StatusBadge status={reseller.status} />
                </Cell>
                <Cell className="text-muted max-sm:hidden">
                  <Time at={reseller.created_at} />
                </Cell>
                <Cell className="text-right whitespace-nowrap">
                  {mayWrite && (
                    <span className="inline-flex gap-1">
                      <Button size="small" look="quiet" onClick={() => setInviting(reseller)}>
                        Invite
                      </Button>
                      <Button
                        size="small"
                        look="quiet"
                        onClick={() => void act(() => suspend(reseller, !isSuspended))}
                      >
                        {isSuspended ? "Let act again" : "Suspend"}
                      </Button>
                    </span>
                  )}
                </Cell>
              </Row>
            );
          })}
        </Table>
      )}
      {isMaking && (
        <NewScopeDialog
          title="New reseller"
          onClose={() => setMaking(false)}
          onMake={async (body) => {
            await api.POST("/api/resellers", { body });
            await reread("/api/resellers");
          }}
        />
      )}
      {inviting && (
        <InviteDialog
          to={inviting.display_name}
          roles={RESELLER_ROLES}
          onClose={() => setInviting(null)}
          onInvite={async (body) => {
            const path = { id: inviting.id };
            return (await api.POST("/api/resellers/{id}/invitations", { params: { path }, body })).data;
          }}
        />
      )}
    </Page>
  );
}
