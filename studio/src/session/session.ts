// Who uses the studio, where, and what they may do. What the server tells is shown; what it refuses is refused there. Must
// not know pages.
import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, use } from "react";

import {
  api,
  apiKey,
  ApiError,
  enteredWorkspace,
  enterWorkspace,
  setApiKey,
  setCsrfToken,
  type Schema,
} from "../api/client";
import { probe } from "./probe";

export type Workspace = { id: string; name: string; display_name: string; role?: string | null };

export type Session = {
  /** None for an API key. */
  person: Schema<"PersonView"> | null;
  platformRole: string | null;
  workspace: Workspace | null;
  /** Where the person or key may go. */
  workspaces: Workspace[];
  permissions: ReadonlySet<string>;
};

async function ofPerson(): Promise<Session | null> {
  const { data: me } = await api.GET("/api/me");
  if (!me) return null;
  setCsrfToken(me.csrf_token);
  const entered = enteredWorkspace();
  const isManager = me.platform_role !== null;
  // Roles beyond a workspace are not listed by the person; what they open is asked.
  const [beyond, all] = await Promise.all([
    isManager || me.workspaces.length === 0 ? probe(entered ? "all" : "managers") : probe("clients"),
    isManager ? reachable() : me.workspaces,
  ]);
  const workspaces = all.length > 0 ? all : me.workspaces;
  return {
    person: me.user,
    platformRole: me.platform_role,
    workspace: workspaces.find((one) => one.id === (entered ?? me.workspace)) ?? null,
    workspaces,
    permissions: new Set([...(entered ? [] : me.permissions), ...beyond]),
  };
}

/** A key is not told what it may do: it is found out by looking. */
async function ofKey(): Promise<Session> {
  const workspaces = await reachable();
  const entered = enteredWorkspace();
  const workspace =
    workspaces.find((one) => one.id === entered) ?? (workspaces.length === 1 ? workspaces[0] : undefined);
  return {
    person: null,
    platformRole: null,
    workspace: workspace ?? null,
    workspaces,
    permissions: await probe("all"),
  };
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
      return apiKey() ? await ofKey() : await ofPerson();
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

/** Asks whether something may be done: `const may = useMay(); may("run:write")`. */
export function useMay(): (permission: string) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.has(permission);
}

export const useSessionQuery = () => useQuery(sessionQuery);

/** Forgets everything that was read as somebody else or elsewhere, and asks anew who this is. */
export async function beginAnew(client: QueryClient) {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
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

/** Ends the session here; a key is forgotten by this tab. */
export function useSignOut() {
  const client = useQueryClient();
  const session = useSession();
  return async () => {
    if (session.person) await api.POST("/api/logout", { body: {} });
    setApiKey(null);
    enterWorkspace(null);
    setCsrfToken(null);
    client.clear();
    client.setQueryData(sessionQuery.queryKey, null);
  };
}
