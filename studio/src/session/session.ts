// Who uses the studio, where, and what they may do. What the server tells is shown; what it refuses is refused there. Must
// not know pages.
import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, use } from "react";

import { api, apiKey, ApiError, enterWorkspace, setApiKey, setCsrfToken, type Schema } from "../api/client";

export type Workspace = { id: string; name: string; display_name?: string; role?: string | null };

/** What somebody runs beyond a workspace: everything, or a reseller with its clients. */
export type Runs = { kind: "platform" } | { kind: "reseller"; id: string };

export type Session = {
  /** None for an API key. */
  person: Schema<"PersonView"> | null;
  /** E-mail address of the person, name of the key. */
  name: string;
  platformRole: string | null;
  /** Who acts in the person's place. */
  impersonator: Schema<"ImpersonatorView"> | null;
  workspace: Workspace | null;
  /** Where the person or key may go. */
  workspaces: Workspace[];
  /** What may be done in the workspace. */
  permissions: ReadonlySet<string>;
  /** What may be done beyond it: on the platform, for a reseller's clients. */
  beyond: ReadonlySet<string>;
  /** Where that is. The platform goes before a reseller, as the API sees it. */
  runs: Runs | null;
};

async function read(): Promise<Session> {
  const [{ data: me }, { data: access }] = await Promise.all([
    apiKey() ? { data: undefined } : api.GET("/api/me"),
    api.GET("/api/access"),
  ]);
  if (me) setCsrfToken(me.csrf_token);
  const beyond = access?.grants.filter((grant) => grant.scope !== "workspace") ?? [];
  // Who works beyond a workspace may go to more of them than those where they have a role.
  const workspaces = me && beyond.length === 0 ? me.workspaces : await reachable();
  return {
    person: me?.user ?? null,
    name: access?.name ?? "",
    platformRole: me?.platform_role ?? null,
    impersonator: me?.impersonated_by ?? null,
    workspace: workspaces.find((one) => one.id === access?.workspace?.id) ?? access?.workspace ?? null,
    workspaces,
    permissions: new Set(access?.workspace?.permissions),
    beyond: new Set(beyond.flatMap((grant) => grant.permissions)),
    runs: runsOf(beyond),
  };
}

export function runsOf(beyond: Schema<"GrantView">[]): Runs | null {
  if (beyond.some((grant) => grant.scope === "platform")) return { kind: "platform" };
  const reseller = beyond.find((grant) => grant.scope === "reseller")?.id;
  return reseller ? { kind: "reseller", id: reseller } : null;
}

async function reachable(): Promise<Workspace[]> {
  try {
    return (await api.GET("/api/workspaces")).data?.items ?? [];
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}

/** The session, or null for a stranger. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<Session | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      setApiKey(null);
      enterWorkspace(null);
      return null;
    }
  },
  staleTime: 5 * 60_000,
});

export const SessionContext = createContext<Session | null>(null);

/** Who uses the studio; only below a page that needs a session. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("This part of the page needs somebody who is signed in.");
  return session;
}

/** Asks whether something may be done in the workspace: `const may = useMay(); may("run:write")`. */
export function useMay(): (permission: string) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.has(permission);
}

/** The same beyond the workspace: on the platform, for a reseller's clients. */
export function useMayBeyond(): (permission: string) => boolean {
  const { beyond } = useSession();
  return (permission) => beyond.has(permission);
}

export const useSessionQuery = () => useQuery(sessionQuery);

/** Forgets everything that was read as somebody else or elsewhere, and asks anew who this is. */
export async function beginAnew(client: QueryClient) {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
}

/** Goes to the workspace that was not there before, if there is just one; answers what it is called. */
export async function enterJoined(client: QueryClient, before: Workspace[]): Promise<string | null> {
  const now = client.getQueryData(sessionQuery.queryKey)?.workspaces ?? [];
  const [joined, ...others] = now.filter(({ id }) => !before.some((one) => one.id === id));
  if (!joined || others.length > 0) return null;
  enterWorkspace(null);
  const { data } = await api.POST("/api/switch", { body: { workspace: joined.id } });
  if (data) setCsrfToken(data.csrf_token);
  await beginAnew(client);
  return joined.display_name || joined.name;
}

/** Chooses the workspace to work in. */
export function useSwitch() {
  const client = useQueryClient();
  const session = useSession();
  return async (workspace: Workspace) => {
    const isMember = session.person !== null && Boolean(workspace.role);
    if (isMember || (session.person && session.platformRole === null)) {
      enterWorkspace(null);
      const { data } = await api.POST("/api/switch", { body: { workspace: workspace.id } });
      if (data) setCsrfToken(data.csrf_token);
    } else {
      enterWorkspace(workspace.id);
    }
    await beginAnew(client);
  };
}

/** Forgets here who this was: everything that was read, and what opened the door. */
export function useForget() {
  const client = useQueryClient();
  return () => {
    setApiKey(null);
    enterWorkspace(null);
    setCsrfToken(null);
    client.clear();
    client.setQueryData(sessionQuery.queryKey, null);
  };
}

/** Ends the session here; a key is forgotten by this tab. */
export function useSignOut() {
  const session = useSession();
  const forget = useForget();
  return async () => {
    if (session.person) await api.POST("/api/logout", { body: {} });
    forget();
  };
}
