// Who works in the workspace, and who is invited.
import { Plus } from "lucide-react";
import { useState } from "react";

import { $api, api } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMay, useSession } from "../session/session";
import { Button } from "../ui/Button";
import { ErrorNote } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { InviteDialog } from "../scopes/InviteDialog";
import { MembersTable } from "../scopes/MembersTable";
import { roleName, WORKSPACE_ROLES } from "../scopes/roles";

export default function MembersPage() {
  const { workspace } = useSession();
  const mayWrite = useMay()("member:write");
  const query = $api.useQuery("get", "/api/members");
  const { act } = useAct("/api/members");
  const reread = useReread();
  const [isInviting, setInviting] = useState(false);
  return (
    <Page
      title="Members"
      actions={
        mayWrite && (
          <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && (
        <MembersTable
          members={query.data.items}
          roles={WORKSPACE_ROLES}
          mayWrite={mayWrite}
          onChange={(member, change) =>
            void act(() =>
              api.PUT("/api/members/{person_id}", {
                params: { path: { person_id: member.person_id } },
                body: change,
              }),
            )
          }
          onRemove={async (member) => {
            await api.DELETE("/api/members/{person_id}", {
              params: { path: { person_id: member.person_id } },
            });
            await reread("/api/members");
          }}
        />
      )}
      <Invitations />
      {isInviting && (
        <InviteDialog
          to={workspace?.display_name ?? "the workspace"}
          roles={WORKSPACE_ROLES}
          onClose={() => setInviting(false)}
          onInvite={async (body) => {
            const { data } = await api.POST("/api/invitations", { body });
            await reread("/api/invitations");
            return data;
          }}
        />
      )}
    </Page>
  );
}

function Invitations() {
  const query = $api.useQuery("get", "/api/invitations");
  const mayWrite = useMay()("member:write");
  const { act } = useAct("/api/invitations");
  const open = query.data?.items ?? [];
  if (open.length === 0) return null;
  return (
    <Section title="Open invitations">
      <Table
        label="Open invitations"
        columns={[
          "Address",
          { text: "As", className: "max-sm:hidden" },
          { text: "Until", className: "max-sm:hidden" },
          { text: "Actions", isHidden: true },
        ]}
      >
        {open.map((one) => (
          <Row key={one.id}>
            <NameCell
              name={one.email}
              title={one.email}
              below={<span className="sm:hidden">{roleName(one.role)}</span>}
            />
            <Cell className="max-sm:hidden">{roleName(one.role)}</Cell>
            <Cell className="text-muted max-sm:hidden">
              <Time at={one.expires_at} />
            </Cell>
            <Cell className="text-right">
              {mayWrite && (
                <Button
                  size="small"
                  look="quiet"
                  onClick={() =>
                    void act(() => api.DELETE("/api/invitations/{id}", { params: { path: { id: one.id } } }))
                  }
                >
                  Take back<span className="sr-only"> the invitation of {one.email}</span>
                </Button>
              )}
            </Cell>
          </Row>
        ))}
      </Table>
    </Section>
  );
}
