// What a piece costs, from when to when. A price is never changed: a new one begins later.
import { Plus } from "lucide-react";
import { useState } from "react";

import { $api, api } from "../api/client";
import { useReread } from "../api/useAct";
import { money } from "../scopes/money";
import { useMayBeyond } from "../session/session";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Section } from "../ui/Page";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { PriceDialog } from "./PriceDialog";

const COLUMNS = [
  "What",
  "Price",
  { text: "From", className: "max-sm:hidden" },
  { text: "Until", className: "max-sm:hidden" },
];

export function Prices() {
  const query = $api.useQuery("get", "/api/prices");
  const mayWrite = useMayBeyond()("plan:write");
  const reread = useReread();
  const [isAdding, setAdding] = useState(false);
  const prices = query.data?.items ?? [];
  const add = mayWrite && (
    <Button icon={<Plus size={14} aria-hidden />} onClick={() => setAdding(true)}>
      New price
    </Button>
  );
  return (
    <Section
      title="Prices"
      description="Of several for the same the one that begins last counts."
      actions={prices.length > 0 && add}
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.data && prices.length === 0 && (
        <EmptyState title="No prices yet" action={add}>
          What has no price costs nothing.
        </EmptyState>
      )}
      {prices.length > 0 && (
        <Table label="Prices" columns={COLUMNS}>
          {prices.map((price) => (
            <Row key={price.id}>
              <Cell>
                {price.kind}
                <span className="block text-xs text-muted">{price.category || "all others"}</span>
              </Cell>
              <Cell className="tabular-nums">
                {money(price.amount, price.currency)}
                <span className="text-muted">
                  {price.per === 1 ? " each" : ` for ${price.per.toLocaleString("en")}`}
                </span>
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={price.valid_from} />
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={price.valid_until} fallback="for ever" />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {isAdding && (
        <PriceDialog
          onAdd={async (body) => {
            await api.POST("/api/prices", { body });
            await reread("/api/prices");
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </Section>
  );
}
