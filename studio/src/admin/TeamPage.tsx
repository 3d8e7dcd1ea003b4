// Who runs the platform, or the reseller.
import { Plus } from "lucide-react";
import { useState } from "react";

import { $api, api } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMayBeyond, useSession } from "../session/session";
import { InviteDialog } from "../scopes/InviteDialog";
import { MembersTable } from "../scopes/MembersTable";
import { PLATFORM_ROLES, RESELLER_ROLES } from "../scopes/roles";
import { Button } from "../ui/Button";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";

export default function TeamPage() {
  const { runs } = useSession();
  const mayWrite = useMayBeyond()("team:write");
  const query = $api.useQuery("get", "/api/team");
  const { act } = useAct("/api/team");
  const reread = useReread();
  const [isInviting, setInviting] = useState(false);
  const roles = runs?.kind === "platform" ? PLATFORM_ROLES : RESELLER_ROLES;
  return (
    <Page
      title="Team"
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
          roles={roles}
          mayWrite={mayWrite}
          onChange={({ person_id }, body) =>
            void act(() => api.PUT("/api/team/{person_id}", { params: { path: { person_id } }, body }))
          }
          onRemove={async ({ person_id }) => {
            await api.DELETE("/api/team/{person_id}", { params: { path: { person_id } } });
            await reread("/api/team");
          }}
        />
      )}
      {isInviting && (
        <InviteDialog
          to="the team"
          roles={roles}
          onClose={() => setInviting(false)}
          onInvite={async (body) => (await api.POST("/api/team/invitations", { body })).data}
        />
      )}
    </Page>
  );
}
