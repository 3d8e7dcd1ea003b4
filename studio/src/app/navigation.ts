// The places of the studio, and who sees which. What comes later (inbox, boards, campaigns, charts) is a line here.
import { CircleCheckBig, Settings, ShieldCheck, Waypoints, Zap, type LucideIcon } from "lucide-react";

export type Place = {
  to: string;
  text: string;
  Icon: LucideIcon;
  /** Any of these opens it. */
  permissions: string[];
};

export const places: Place[] = [
  { to: "/workflows", text: "Workflows", Icon: Waypoints, permissions: ["workflow:read"] },
  { to: "/runs", text: "Runs", Icon: Zap, permissions: ["run:read"] },
  { to: "/approvals", text: "Approvals", Icon: CircleCheckBig, permissions: ["approval:read"] },
];

/** At the foot of the navigation. */
export const footPlaces: Place[] = [
  { to: "/settings", text: "Settings", Icon: Settings, permissions: [] },
  {
    to: "/admin",
    text: "Admin",
    Icon: ShieldCheck,
    permissions: ["client:read", "reseller:read", "person:read", "team:read"],
  },
];

export const isOpenTo = (place: Pick<Place, "permissions">, permissions: ReadonlySet<string>) =>
  place.permissions.length === 0 || place.permissions.some((one) => permissions.has(one));
