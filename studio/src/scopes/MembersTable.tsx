// Who is a member of something (a workspace, a team), and what each is. Must not know of what.
import { Ban, Ellipsis, Play, UserMinus } from "lucide-react";
import { useState } from "react";

import type { Schema } from "../api/client";
import { useSession } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Select } from "../ui/Input";
import { Menu, MenuItem } from "../ui/Menu";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { roleName, type RoleChoice } from "./roles";

type Member = Schema<"MemberView">;

type MembersTableProps = {
  members: Member[];
  roles: RoleChoice[];
  mayWrite: boolean;
  onChange: (member: Member, change: { role: string; suspended: boolean }) => void;
  onRemove: (member: Member) => Promise<unknown>;
};

export function MembersTable({ members, roles, mayWrite, onChange, onRemove }: MembersTableProps) {
  const { person } = useSession();
  const [leaving, setLeaving] = useState<Member | null>(null);
  const columns = [
    "Person",
    "Role",
    { text: "Status", className: "max-sm:hidden" },
    { text: "Since", className: "max-sm:hidden" },
    { text: "Actions", isHidden: true },
  ];
  return (
    <>
      <Table label="Members" columns={columns}>
        {members.map((member) => {
          const isSuspended = member.status === "suspended";
          return (
            <Row key={member.person_id}>
              <NameCell
                name={
                  <>
                    {member.name}
                    {member.person_id === person?.id && <span className="text-muted"> (you)</span>}
                  </>
                }
                title={member.email}
                below={
                  <>
                    {isSuspended && <span className="text-bad sm:hidden">suspended · </span>}
                    {member.email}
                  </>
                }
              />
              <Cell>
                {mayWrite ? (
                  <Select
                    aria-label={`Role of ${member.name}`}
                    className="min-w-28"
                    value={member.role}
                    onChange={(event) =>
                      onChange(member, { role: event.target.value, suspended: isSuspended })
                    }
                  >
                    {roles.map(({ role, may }) => (
                      <option key={role} value={role} title={may}>
                        {roleName(role)}
                      </option>
                    ))}
                  </Select>
                ) : (
                  roleName(member.role)
                )}
              </Cell>
              <Cell className="max-sm:hidden">
                <StatusBadge status={member.status} />
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={member.created_at} />
              </Cell>
              <Cell className="py-1 text-right">
                {mayWrite && (
                  <Menu
                    trigger={
                      <IconButton label={`What to do with ${member.name}`} size="small">
                        <Ellipsis size={16} aria-hidden />
                      </IconButton>
                    }
                  >
                    <MenuItem
                      icon={isSuspended ? <Play size={14} aria-hidden /> : <Ban size={14} aria-hidden />}
                      onSelect={() => onChange(member, { role: member.role, suspended: !isSuspended })}
                    >
                      {isSuspended ? "Let in again" : "Suspend"}
                    </MenuItem>
                    <MenuItem
                      icon={<UserMinus size={14} aria-hidden />}
                      isDangerous
                      onSelect={() => setLeaving(member)}
                    >
                      Remove…
                    </MenuItem>
                  </Menu>
                )}
              </Cell>
            </Row>
          );
        })}
      </Table>
      <Confirm
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title={`Remove ${leaving?.name ?? ""}?`}
        action="Remove"
        isDangerous
        onConfirm={async () => leaving && onRemove(leaving)}
      >
        They cannot come in any more. Their account stays; they can be invited again.
      </Confirm>
    </>
  );
}
