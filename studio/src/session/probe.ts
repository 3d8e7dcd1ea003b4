// Finds out what may be seen by looking: for API keys, and for roles beyond a workspace, whose permissions no route lists.
// Must not know pages.
import { send } from "../api/client";

/** A list that only somebody with the permission is shown. */
const DOORS = {
  clients: [["client", "/api/clients"]],
  managers: [
    ["client", "/api/clients"],
    ["reseller", "/api/resellers"],
    ["person", "/api/people?limit=1"],
    ["team", "/api/team"],
    ["platform_limit", "/api/platform/limits"],
    ["platform_audit", "/api/platform/audit?limit=1"],
  ],
  workspace: [
    ["workflow", "/api/workflows?limit=1"],
    ["run", "/api/runs?limit=1"],
    ["approval", "/api/approvals?limit=1"],
    ["number", "/api/numbers"],
    ["credential", "/api/credentials"],
    ["member", "/api/members"],
    ["key", "/api/keys"],
    ["limit", "/api/limits"],
    ["audit", "/api/audit?limit=1"],
  ],
} as const;

/** Who may see a list is shown what changes it, too; if they may not, the server says so in its own words. */
const ACTIONS: Record<string, string[]> = {
  workflow: ["read", "write", "publish", "run"],
  approval: ["read", "decide"],
};

export async function probe(which: "clients" | "managers" | "all"): Promise<Set<string>> {
  const doors = which === "all" ? [...DOORS.managers, ...DOORS.workspace] : DOORS[which];
  const found = await Promise.all(
    doors.map(async ([resource, path]) => {
      const answer = await send(new Request(new URL(path, location.origin)));
      // The body is not read: that it is given is the answer.
      await answer.body?.cancel();
      const actions = ACTIONS[resource] ?? ["read", "write"];
      return answer.ok ? actions.map((action) => `${resource}:${action}`) : [];
    }),
  );
  return new Set(found.flat());
}
