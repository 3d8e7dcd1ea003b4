// The places of the studio, and who sees which. What comes later (inbox, boards, campaigns, charts) is a line here.
import { CircleCheckBig, Settings, ShieldCheck, Waypoints, Zap, type LucideIcon } from "lucide-react";

import type { Session } from "../session/session";

export type Place = {
  to: string;
  text: string;
  Icon: LucideIcon;
  /** What must be allowed in the workspace. */
  permission?: string;
  /** Any of these, beyond the workspace, opens it. */
  beyond?: string[];
};

export const places: Place[] = [
  { to: "/workflows", text: "Workflows", Icon: Waypoints, permission: "workflow:read" },
  { to: "/runs", text: "Runs", Icon: Zap, permission: "run:read" },
  { to: "/approvals", text: "Approvals", Icon: CircleCheckBig, permission: "approval:read" },
];

/** At the foot of the navigation. */
export const footPlaces: Place[] = [
  { to: "/settings", text: "Settings", Icon: Settings },
  {
    to: "/admin",
    text: "Admin",
    Icon: ShieldCheck,
    beyond: ["client:read", "reseller:read", "person:read", "team:read"],
  },
];

export function isOpenTo({ permission, beyond }: Place, session: Pick<Session, "permissions" | "beyond">) {
  if (permission) return session.permissions.has(permission);
  return !beyond || beyond.some((one) => session.beyond.has(one));
}
