// Accounts of the ledger: what each holds, and the entries of one. Must not know whose they are.
import { useState } from "react";

import { $api, type Schema } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { Field } from "../ui/Field";
import { Select } from "../ui/Input";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { currencyOf, kindOf, money } from "./money";

type Account = Schema<"BalanceView">;

const MEANINGS: Record<string, { name: string; means: string }> = {
  wallet: { name: "Wallet", means: "to spend" },
  bonus: { name: "Bonus", means: "spent first, never moved on" },
  reserved: { name: "Put aside", means: "until it is known whether it is charged" },
  revenue: { name: "Charged", means: "so far" },
  issued: { name: "Issued", means: "in circulation" },
};
const nameOf = (account: string) => MEANINGS[kindOf(account)]?.name ?? kindOf(account);
const COLUMNS = [
  "When",
  "Why",
  { text: "About", className: "max-sm:hidden" },
  { text: "Amount", className: "text-right" },
];

/** Credits come from `issued`, so it is in the minus by what is in circulation. */
const held = ({ account, balance }: Account) => (kindOf(account) === "issued" ? -balance || 0 : balance);

export const Balances = ({ accounts }: { accounts: Account[] }) => (
  <dl className="grid grid-cols-2 gap-2 sm:grid-cols-3 lg:grid-cols-4">
    {accounts.map(({ account, balance }) => (
      <div key={account} className="rounded-lg border border-line bg-surface p-3">
        <dt className="text-xs text-muted">{nameOf(account)}</dt>
        <dd className="text-base font-semibold tabular-nums">
          {money(held({ account, balance }), currencyOf(account))}
        </dd>
        <dd className="text-xs text-muted">{MEANINGS[kindOf(account)]?.means}</dd>
      </div>
    ))}
  </dl>
);

type EntriesProps = { of: "wallet" | "credits"; accounts: Account[] };

/** The entries of the account that is chosen; `of` says whose routes are asked. */
export function Entries({ of, accounts }: EntriesProps) {
  const [chosen, setChosen] = useState("");
  const account = chosen || accounts[0]?.account;
  if (!account) return null;
  return (
    <>
      <Field label="Entries of" className="w-56">
        {(ids) => (
          <Select {...ids} value={account} onChange={(event) => setChosen(event.target.value)}>
            {accounts.map((one) => (
              <option key={one.account} value={one.account}>
                {nameOf(one.account)} in {currencyOf(one.account)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <EntriesOf key={account} of={of} account={account} />
    </>
  );
}

function EntriesOf({ of, account }: { of: EntriesProps["of"]; account: string }) {
  const currency = currencyOf(account);
  const query = $api.useInfiniteQuery(
    "get",
    `/api/${of}/entries`,
    { params: { query: { account: kindOf(account), currency, limit: 25 } } },
    byCursor,
  );
  const entries = itemsOf(query.data);
  if (query.error) return <ErrorNote error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isSuccess && entries.length === 0) return <EmptyState title="Nothing was moved here yet." />;
  return (
    <>
      <Table label="Entries" columns={COLUMNS}>
        {entries.map((entry) => (
          <Row key={entry.seq}>
            <Cell className="text-muted">
              <Time at={entry.at} />
            </Cell>
            <Cell>
              <code className="text-xs">{entry.reason}</code>
              <span className="block text-xs break-words text-muted sm:hidden">{entry.reference}</span>
            </Cell>
            <Cell className="max-w-64 truncate text-muted max-sm:hidden" title={entry.reference ?? undefined}>
              {entry.reference}
            </Cell>
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
