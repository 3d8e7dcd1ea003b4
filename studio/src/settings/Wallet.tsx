// The wallet of the workspace: what can be spent, and where it came from and went.
import { $api } from "../api/client";
import { Balances, Entries } from "../scopes/Accounts";
import { money } from "../scopes/money";
import { ErrorNote } from "../ui/Note";
import { Section } from "../ui/Page";

export function Wallet() {
  const wallet = $api.useQuery("get", "/api/wallet");
  if (!wallet.data) return <ErrorNote error={wallet.error} onRetry={() => void wallet.refetch()} />;
  const { accounts, available, currency } = wallet.data;
  return (
    <Section title="Wallet" description={`${money(available, currency)} can be spent.`}>
      {accounts.length > 0 && <Balances accounts={accounts} />}
      <Entries of="wallet" accounts={accounts} />
    </Section>
  );
}
