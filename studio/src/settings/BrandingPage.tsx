// How the workspace looks to its people, and under which host names.
import { $api, api } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { DomainsTable } from "./DomainsTable";
import { LooksForm } from "./LooksForm";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";

export default function BrandingPage() {
  const mayWrite = useMay()("branding:write");
  const looks = $api.useQuery("get", "/api/branding/workspace");
  const domains = $api.useQuery("get", "/api/branding/workspace/domains");
  const reread = useReread();
  const { act } = useAct("/api/branding/workspace/domains");
  const error = looks.error ?? domains.error;
  return (
    <Page title="Branding" description="What is not set is taken from who runs this installation.">
      <ErrorNote error={error} onRetry={() => void Promise.all([looks.refetch(), domains.refetch()])} />
      {looks.isPending && !error && <Loading />}
      {looks.data && (
        <LooksForm
          looks={looks.data}
          mayWrite={mayWrite}
          onSave={async (body) => {
            await api.PUT("/api/branding/workspace", { body });
            await reread("/api/branding/workspace");
          }}
        />
      )}
      {domains.data && (
        <DomainsTable
          domains={domains.data.items}
          mayWrite={mayWrite}
          onClaim={async (host) => {
            await api.POST("/api/branding/workspace/domains", { body: { host } });
            await reread("/api/branding/workspace/domains");
          }}
          onVerify={({ host }) =>
            void act(() =>
              api.POST("/api/branding/workspace/domains/{host}/verify", { params: { path: { host } } }),
            )
          }
          onGiveUp={({ host }) =>
            void act(() =>
              api.DELETE("/api/branding/workspace/domains/{host}", { params: { path: { host } } }),
            )
          }
        />
      )}
    </Page>
  );
}
