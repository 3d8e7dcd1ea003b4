// One client workspace: how it stands, its plan, its wallet.
import { ArrowLeft, ChevronDown } from "lucide-react";
import { useParams } from "react-router";

import { $api } from "../api/client";
import { Balances } from "../scopes/Accounts";
import { money } from "../scopes/money";
import { useMayBeyond } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button, ButtonLink } from "../ui/Button";
import { ErrorNote, Note } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Time } from "../ui/Time";
import { ClientActions } from "./ClientActions";
import { ClientPlan } from "./ClientPlan";

export default function ClientPage() {
  const { id = "" } = useParams();
  const may = useMayBeyond();
  const query = $api.useQuery("get", "/api/clients/{id}", { params: { path: { id } } });
  const client = query.data;
  return (
    <Page
      title={client?.display_name ?? "Client"}
      description={client && `In addresses: ${client.name}`}
      actions={
        <>
          <ButtonLink to="/admin/clients" look="quiet" icon={<ArrowLeft size={14} aria-hidden />}>
            All clients
          </ButtonLink>
          {client && (
            <ClientActions
              client={client}
              trigger={
                <Button>
                  Actions <ChevronDown size={14} aria-hidden />
                </Button>
              }
            />
          )}
        </>
      }
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {client && (
        <>
          <p className="flex flex-wrap items-center gap-2 text-sm text-muted">
            <StatusBadge status={client.status} />
            <span>
              made <Time at={client.created_at} />
            </span>
          </p>
          {client.status_reason && <Note tone="warn">{client.status_reason}</Note>}
          {may("plan:read") && <ClientPlan id={client.id} />}
          {may("ledger:read") && <ClientWallet id={client.id} />}
        </>
      )}
    </Page>
  );
}

function ClientWallet({ id }: { id: string }) {
  const wallet = $api.useQuery("get", "/api/clients/{id}/wallet", { params: { path: { id } } });
  if (!wallet.data) return <ErrorNote error={wallet.error} onRetry={() => void wallet.refetch()} />;
  const { accounts, available, currency } = wallet.data;
  return (
    <Section title="Wallet" description={`${money(available, currency)} can be spent.`}>
      {accounts.length > 0 && <Balances accounts={accounts} />}
    </Section>
  );
}
