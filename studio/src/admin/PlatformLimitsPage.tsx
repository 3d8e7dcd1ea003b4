// The limits of the platform: for every workspace and caller, whatever workspaces set for themselves.
import { $api, api } from "../api/client";
import { useReread } from "../api/useAct";
import { useMayBeyond } from "../session/session";
import { LimitsTable } from "../scopes/LimitsTable";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";

export default function PlatformLimitsPage() {
  const query = $api.useQuery("get", "/api/platform/limits");
  const mayWrite = useMayBeyond()("limit:write");
  const reread = useReread();
  return (
    <Page title="Limits of the platform" description="A workspace cannot loosen what is set here.">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && (
        <LimitsTable
          limits={query.data.items}
          mayWrite={mayWrite}
          onSet={async (body) => {
            await api.PUT("/api/platform/limits", { body });
            await reread("/api/platform/limits");
          }}
          onRemove={async ({ id }) => {
            await api.DELETE("/api/platform/limits/{id}", { params: { path: { id } } });
            await reread("/api/platform/limits");
          }}
        />
      )}
    </Page>
  );
}
