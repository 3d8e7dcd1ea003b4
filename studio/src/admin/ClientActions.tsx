// What can be done with a client workspace: acting there, inviting, moving credits, suspending.
import { Ban, Coins, Ellipsis, Play, UserPlus, UserRoundCheck } from "lucide-react";
import { useState, type ReactNode } from "react";

import { api, type Schema } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { InviteDialog } from "../scopes/InviteDialog";
import { WORKSPACE_ROLES } from "../scopes/roles";
import { useImpersonate } from "../session/impersonation";
import { useMayBeyond } from "../session/session";
import { IconButton } from "../ui/Button";
import { Menu, MenuItem, MenuLine } from "../ui/Menu";
import { ImpersonateDialog } from "./ImpersonateDialog";
import { MoveCreditsDialog } from "./MoveCreditsDialog";
import { ReasonDialog } from "./ReasonDialog";

type Client = Schema<"WorkspaceView">;
const LISTS = ["/api/clients", "/api/clients/{id}"] as const;
const icon = { size: 14, "aria-hidden": true } as const;

export function ClientActions({ client, trigger }: { client: Client; trigger?: ReactNode }) {
  const may = useMayBeyond();
  const impersonate = useImpersonate();
  const reread = useReread();
  const { act } = useAct(...LISTS);
  const [open, setOpen] = useState<"enter" | "invite" | "credits" | "suspend" | null>(null);
  const close = () => setOpen(null);
  const path = { id: client.id };
  const change = (body: Schema<"ClientChangeRequest">) =>
    api.PUT("/api/clients/{id}", { params: { path }, body });
  const isActive = client.status === "active";
  const mayEnter = impersonate !== null && may("client:impersonate") && isActive;
  if (!mayEnter && !may("client:write") && !may("ledger:write")) return null;
  return (
    <>
      <Menu
        trigger={
          trigger ?? (
            <IconButton label={`What to do with ${client.display_name}`} size="small">
              <Ellipsis size={16} aria-hidden />
            </IconButton>
          )
        }
      >
        {mayEnter && (
          <MenuItem icon={<UserRoundCheck {...icon} />} onSelect={() => setOpen("enter")}>
            Act in somebody's place…
          </MenuItem>
        )}
        {may("client:write") && (
          <MenuItem icon={<UserPlus {...icon} />} onSelect={() => setOpen("invite")}>
            Invite…
          </MenuItem>
        )}
        {may("ledger:write") && (
          <MenuItem icon={<Coins {...icon} />} onSelect={() => setOpen("credits")}>
            Move credits…
          </MenuItem>
        )}
        {may("client:write") && (
          <>
            <MenuLine />
            {isActive ? (
              <MenuItem icon={<Ban {...icon} />} isDangerous onSelect={() => setOpen("suspend")}>
                Suspend…
              </MenuItem>
            ) : (
              <MenuItem
                icon={<Play {...icon} />}
                onSelect={() => void act(() => change({ suspended: false }))}
              >
                Let act again
              </MenuItem>
            )}
          </>
        )}
      </Menu>
      {open === "suspend" && (
        <ReasonDialog
          title={`Suspend “${client.display_name}”?`}
          action="Suspend"
          hint="Its members are told. They and their keys are refused, and nothing starts there."
          onClose={close}
          onSubmit={async (reason) => {
            await change({ suspended: true, reason });
            await reread(...LISTS);
          }}
        />
      )}
      {open === "enter" && impersonate && (
        <ImpersonateDialog client={client} onBegin={impersonate} onClose={close} />
      )}
      {open === "credits" && (
        <MoveCreditsDialog
          holder={{ kind: "workspace", id: client.id, name: client.display_name }}
          onClose={close}
        />
      )}
      {open === "invite" && (
        <InviteDialog
          to={client.display_name}
          roles={WORKSPACE_ROLES.toReversed()}
          onClose={close}
          onInvite={async (body) =>
            (await api.POST("/api/clients/{id}/invitations", { params: { path }, body })).data
          }
        />
      )}
    </>
  );
}
