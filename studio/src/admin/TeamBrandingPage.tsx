// How the platform, or the reseller, looks to everybody below it, and under which host names.
import { $api, api } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMayBeyond } from "../session/session";
import { DomainsTable } from "../settings/DomainsTable";
import { LooksForm } from "../settings/LooksForm";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";

export default function TeamBrandingPage() {
  const mayWrite = useMayBeyond()("branding:write");
  const looks = $api.useQuery("get", "/api/branding/team");
  const domains = $api.useQuery("get", "/api/branding/team/domains");
  const reread = useReread();
  const { act } = useAct("/api/branding/team/domains");
  const error = looks.error ?? domains.error;
  return (
    <Page title="Branding" description="Workspaces show this where they set nothing of their own.">
      <ErrorNote error={error} onRetry={() => void Promise.all([looks.refetch(), domains.refetch()])} />
      {looks.isPending && !error && <Loading />}
      {looks.data && (
        <LooksForm
          looks={looks.data}
          mayWrite={mayWrite}
          onSave={async (body) => {
            await api.PUT("/api/branding/team", { body });
            await reread("/api/branding/team");
          }}
        />
      )}
      {domains.data && (
        <DomainsTable
          domains={domains.data.items}
          mayWrite={mayWrite}
          onClaim={async (host) => {
            await api.POST("/api/branding/team/domains", { body: { host } });
            await reread("/api/branding/team/domains");
          }}
          onVerify={({ host }) =>
            void act(() =>
              api.POST("/api/branding/team/domains/{host}/verify", { params: { path: { host } } }),
            )
          }
          onGiveUp={({ host }) =>
            void act(() => api.DELETE("/api/branding/team/domains/{host}", { params: { path: { host } } }))
          }
        />
      )}
    </Page>
  );
}
