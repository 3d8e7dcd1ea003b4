// The roles of the API page on tenants, where each exists, and what it may, in words.
export type RoleChoice = { role: string; may: string };

export const WORKSPACE_ROLES: RoleChoice[] = [
  { role: "owner", may: "everything here" },
  { role: "admin", may: "everything but deleting the workspace" },
  { role: "agent", may: "look, answer customers, decide approvals" },
  { role: "viewer", may: "look" },
];
export const RESELLER_ROLES: RoleChoice[] = [{ role: "reseller_admin", may: "run its clients" }];
export const PLATFORM_ROLES: RoleChoice[] = [
  { role: "platform_admin", may: "run clients, resellers, people, plans and limits" },
  { role: "super_admin", may: "everything, everywhere" },
];

export const roleName = (role: string) => role.replaceAll("_", " ");
