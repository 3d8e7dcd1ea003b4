// The limits of the workspace.
import { $api, api } from "../api/client";
import { useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { LimitsTable } from "../scopes/LimitsTable";

export default function LimitsPage() {
  const query = $api.useQuery("get", "/api/limits");
  const mayWrite = useMay()("limit:write");
  const reread = useReread();
  return (
    <Page
      title="Limits"
      description="How often something may be done here. What the platform has set counts besides."
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && (
        <LimitsTable
          limits={query.data.items}
          mayWrite={mayWrite}
          onSet={async (body) => {
            await api.PUT("/api/limits", { body });
            await reread("/api/limits");
          }}
          onRemove={async ({ id }) => {
            await api.DELETE("/api/limits/{id}", { params: { path: { id } } });
            await reread("/api/limits");
          }}
        />
      )}
    </Page>
  );
}
