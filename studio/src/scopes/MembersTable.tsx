// Who is a member of something (a workspace, a team), and what each is. Must not know of what.
import type { Schema } from "../api/client";
import { useSession } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Select } from "../ui/Input";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { useState } from "react";
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
    "Status",
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
              <Cell className="max-w-64">
                <span className="block truncate font-medium">
                  {member.name}
                  {member.person_id === person?.id && <span className="text-muted"> (you)</span>}
                </span>
                <span className="block truncate text-xs text-muted">{member.email}</span>
              </Cell>
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
              <Cell>
                <StatusBadge status={member.status} />
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={member.created_at} />
              </Cell>
              <Cell className="text-right whitespace-nowrap">
                {mayWrite && (
                  <span className="inline-flex gap-1">
                    <Button
                      size="small"
                      look="quiet"
                      onClick={() => onChange(member, { role: member.role, suspended: !isSuspended })}
                    >
                      {isSuspended ? "Let in again" : "Suspend"}
                    </Button>
                    <Button size="small" look="quiet" className="text-bad" onClick={() => setLeaving(member)}>
                      Remove
                    </Button>
                  </span>
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
