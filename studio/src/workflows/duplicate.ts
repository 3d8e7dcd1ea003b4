// Copies a workflow: its export, imported under a name that is free.
import { useQueryClient } from "@tanstack/react-query";

import { api } from "../api/client";
import { toast } from "../ui/Toast";
import { workflowLists } from "./lists";

export function useDuplicate() {
  const client = useQueryClient();
  return async (id: string) => {
    const { data: document } = await api.GET("/api/workflows/{id}/export", { params: { path: { id } } });
    if (!document) return;
    const { data } = await api.POST("/api/workflows/import", { body: document });
    await client.invalidateQueries(workflowLists);
    const made = data?.items[0];
    if (made) toast.done(`“${made.name}” was made.`);
  };
}
