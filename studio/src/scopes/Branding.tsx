// How something looks to its people, and under which host names: one page over two sets of routes. Must not know whether a
// workspace is meant, or who runs workspaces.
import { $api, api } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { DomainsTable } from "./DomainsTable";
import { LooksForm } from "./LooksForm";

type BrandingProps = {
  of: "workspace" | "team";
  /** What is shown where nothing is set. */
  description: string;
  mayWrite: boolean;
  /** Others may show these looks, too. */
  onSaved?: () => Promise<unknown>;
};

export function Branding({ of, description, mayWrite, onSaved }: BrandingProps) {
  const place = `/api/branding/${of}` as const;
  const names = `/api/branding/${of}/domains` as const;
  const looks = $api.useQuery("get", place);
  const domains = $api.useQuery("get", names);
  const reread = useReread();
  const { act } = useAct(names);
  const error = looks.error ?? domains.error;
  const retry = () => void Promise.all([looks.refetch(), domains.refetch()]);
  return (
    <Page title="Branding" description={description}>
      <ErrorNote error={error} onRetry={retry} />
      {looks.isPending && !error && <Loading />}
      {looks.data && (
        <LooksForm
          looks={looks.data}
          mayWrite={mayWrite}
          onSave={async (body) => {
            await api.PUT(place, { body });
            // Who runs a workspace sees what stands above it, so either may have changed.
            await reread("/api/branding/workspace", "/api/branding/team");
            await onSaved?.();
          }}
        />
      )}
      {domains.data && (
        <DomainsTable
          domains={domains.data.items}
          mayWrite={mayWrite}
          onClaim={async (host) => {
            await api.POST(names, { body: { host } });
            await reread(names);
          }}
          onVerify={({ host }) =>
            void act(() => api.POST(`${names}/{host}/verify`, { params: { path: { host } } }))
          }
          onGiveUp={async ({ host }) => {
            await api.DELETE(`${names}/{host}`, { params: { path: { host } } });
            await reread(names);
          }}
        />
      )}
    </Page>
  );
}
