// The wallet of the workspace: what can be spent, and the entries of each account.
import { useState } from "react";

import { $api } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { Field } from "../ui/Field";
import { Select } from "../ui/Input";
import { More } from "../ui/More";
import { ErrorNote } from "../ui/Note";
import { Section } from "../ui/Page";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { currencyOf, kindOf, money } from "../scopes/money";

export function Wallet() {
  const wallet = $api.useQuery("get", "/api/wallet");
  const [chosen, setChosen] = useState("");
  if (!wallet.data) return <ErrorNote error={wallet.error} onRetry={() => void wallet.refetch()} />;
  const { accounts, available, currency } = wallet.data;
  const account = chosen || accounts[0]?.account;
  return (
    <Section title="Wallet" description={`${money(available, currency)} can be spent.`}>
      {account && (
        <>
          <Field label="Account" className="w-64">
            {(ids) => (
              <Select {...ids} value={account} onChange={(event) => setChosen(event.target.value)}>
                {accounts.map((one) => (
                  <option key={one.account} value={one.account}>
                    {kindOf(one.account)}: {money(one.balance, currencyOf(one.account))}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Entries account={account} />
        </>
      )}
    </Section>
  );
}

function Entries({ account }: { account: string }) {
  const currency = currencyOf(account);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/wallet/entries",
    { params: { query: { account: kindOf(account), currency, limit: 25 } } },
    byCursor,
  );
  const entries = itemsOf(query.data);
  if (entries.length === 0) return <ErrorNote error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <>
      <Table label="Entries" columns={["When", "Why", "About", { text: "Amount", className: "text-right" }]}>
        {entries.map((entry) => (
          <Row key={entry.seq}>
            <Cell className="text-muted">
              <Time at={entry.at} />
            </Cell>
            <Cell>
              <code className="text-xs">{entry.reason}</code>
            </Cell>
            <Cell className="max-w-48 truncate text-muted">{entry.reference}</Cell>
            <Cell
              className={entry.amount < 0 ? "text-right tabular-nums" : "text-right text-ok tabular-nums"}
            >
              {money(entry.amount, currency)}
            </Cell>
          </Row>
        ))}
      </Table>
      <More query={query} />
    </>
  );
}
