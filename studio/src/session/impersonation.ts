// Acting in the place of a client's member, and ending it. Must not know pages.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { api, enterWorkspace, setCsrfToken } from "../api/client";
import { beginAnew, useSession } from "./session";

/** Begins to act as a member of a workspace, its owner when nobody is named; null for those who cannot: only people can. */
export function useImpersonate() {
  const { person } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  if (!person) return null;
  return async (wish: { workspace: string; person: string | null; reason: string }) => {
    const { data } = await api.POST("/api/impersonate", { body: wish });
    enterWorkspace(null);
    setCsrfToken(data?.csrf_token ?? null);
    await beginAnew(client);
    await navigate("/");
  };
}

/** Ends it. The next question has no session any more, and the browser's own one is renewed for it. */
export function useEndImpersonation() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    await api.POST("/api/logout", { body: {} });
    setCsrfToken(null);
    await beginAnew(client);
    await navigate("/admin/clients");
  };
}
