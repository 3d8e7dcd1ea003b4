// One credential in the list, and what can be done with it.
import { Ellipsis, Link2, Link2Off, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { Badge, StatusBadge } from "../ui/Badge";
import { IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Menu, MenuItem, MenuLine } from "../ui/Menu";
import { Cell, NameCell, Row } from "../ui/Table";
import { Time } from "../ui/Time";
import { toast } from "../ui/Toast";
import { ConnectDialog } from "./ConnectDialog";

type Credential = Schema<"CredentialView">;

export function CredentialRow({ credential, onChange }: { credential: Credential; onChange: () => void }) {
  const mayWrite = useMay()("credential:write");
  const { connection } = credential;
  return (
    <Row>
      <NameCell
        name={credential.name}
        title={credential.name}
        below={<code className="sm:hidden">{credential.kind}</code>}
      />
      <Cell className="max-sm:hidden">
        <code className="text-xs">{credential.kind}</code>
      </Cell>
      <Cell>
        {connection ? (
          <>
            <StatusBadge status={connection.status} />{" "}
            <span className="text-muted">{connection.account}</span>
            {connection.reason && <span className="block text-xs text-bad">{connection.reason}</span>}
          </>
        ) : (
          <Badge>{(credential.secret_fields ?? []).join(", ") || "no secret"}</Badge>
        )}
      </Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={credential.updated_at} />
      </Cell>
      <Cell className="py-1 text-right">
        {mayWrite && <RowMenu credential={credential} onChange={onChange} />}
      </Cell>
    </Row>
  );
}

function RowMenu({ credential, onChange }: { credential: Credential; onChange: () => void }) {
  const [question, setQuestion] = useState<"delete" | "revoke" | "connect" | null>(null);
  const reread = useReread();
  const path = { id: credential.id };
  const { connection } = credential;
  const close = () => setQuestion(null);
  const revoke = async () => {
    const { data } = await api.POST("/api/connections/{id}/revoke", { params: { path } });
    toast.done(data?.provider_told ? "Revoked." : "Revoked here; the provider could not be told.");
    await reread("/api/credentials");
  };
  const remove = async () => {
    await api.DELETE("/api/credentials/{id}", { params: { path } });
    await reread("/api/credentials");
  };
  return (
    <>
      <Menu
        trigger={
          <IconButton label={`What to do with ${credential.name}`} size="small">
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        {connection ? (
          <>
            <MenuItem icon={<Link2 size={14} aria-hidden />} onSelect={() => setQuestion("connect")}>
              Connect again
            </MenuItem>
            {connection.status !== "revoked" && (
              <MenuItem icon={<Link2Off size={14} aria-hidden />} onSelect={() => setQuestion("revoke")}>
                Revoke…
              </MenuItem>
            )}
          </>
        ) : (
          <MenuItem icon={<Pencil size={14} aria-hidden />} onSelect={onChange}>
            Change
          </MenuItem>
        )}
        <MenuLine />
        <MenuItem icon={<Trash2 size={14} aria-hidden />} isDangerous onSelect={() => setQuestion("delete")}>
          Delete…
        </MenuItem>
      </Menu>
      <Confirm
        isOpen={question === "delete"}
        onClose={close}
        title={`Delete “${credential.name}”?`}
        action="Delete"
        isDangerous
        onConfirm={remove}
      >
        Nodes that name it fail from now on. Its secret cannot be brought back.
      </Confirm>
      <Confirm
        isOpen={question === "revoke"}
        onClose={close}
        title={`Revoke “${credential.name}”?`}
        action="Revoke"
        isDangerous
        onConfirm={revoke}
      >
        At the provider, and here whatever the provider says. Triggers that use it rest.
      </Confirm>
      {question === "connect" && connection && (
        <ConnectDialog known={{ ...connection, name: credential.name }} onClose={close} />
      )}
    </>
  );
}
