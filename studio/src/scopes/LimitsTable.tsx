// Limits of a scope: the list, setting one, taking one away. Must not know which scope.
import { Gauge, Plus, Trash2 } from "lucide-react";
import { useState } from "react";

import type { Schema } from "../api/client";
import { Button, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { EmptyState } from "../ui/Note";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";
import { LimitDialog } from "./LimitDialog";

type Limit = Schema<"LimitView">;

type LimitsTableProps = {
  limits: Limit[];
  mayWrite: boolean;
  onSet: (limit: Schema<"LimitBody">) => Promise<unknown>;
  onRemove: (limit: Limit) => Promise<unknown>;
};

const COLUMNS = [
  { text: "Whom", className: "max-sm:hidden" },
  "What",
  "How often",
  { text: "Changed", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

/** Such as "100 in 60 s, 10,000 a day". */
export function limitWords({ window_limit, window_seconds, daily_limit }: Limit): string {
  const parts = [];
  if (window_limit !== null) parts.push(`${window_limit.toLocaleString("en")} in ${window_seconds} s`);
  if (daily_limit !== null) parts.push(`${daily_limit.toLocaleString("en")} a day`);
  return parts.join(", ");
}

export function LimitsTable({ limits, mayWrite, onSet, onRemove }: LimitsTableProps) {
  const [isSetting, setSetting] = useState(false);
  const [leaving, setLeaving] = useState<Limit | null>(null);
  const add = mayWrite && (
    <Button
      look="primary"
      className="self-start"
      icon={<Plus size={14} aria-hidden />}
      onClick={() => setSetting(true)}
    >
      Set a limit
    </Button>
  );
  return (
    <>
      {limits.length === 0 ? (
        <EmptyState icon={<Gauge size={24} aria-hidden />} title="No limits are set" action={add}>
          Without a limit nothing is counted.
        </EmptyState>
      ) : (
        <>
          {add}
          <Table label="Limits" columns={COLUMNS}>
            {limits.map((limit) => (
              <Row key={limit.id}>
                <Cell className="max-sm:hidden">
                  {limit.level}
                  <span className="block text-xs text-muted">{limit.subject ?? "each by itself"}</span>
                </Cell>
                <Cell>
                  <code className="text-xs break-words">{limit.route}</code>
                  <span className="block text-xs text-muted sm:hidden">
                    {limit.level}, {limit.subject ?? "each by itself"}
                  </span>
                </Cell>
                <Cell>{limitWords(limit)}</Cell>
                <Cell className="text-muted max-sm:hidden">
                  <Time at={limit.updated_at} />
                </Cell>
                <Cell className="py-1 text-right">
                  {mayWrite && (
                    <IconButton
                      label={`Take the limit on ${limit.route} for ${limit.level} away`}
                      size="small"
                      onClick={() => setLeaving(limit)}
                    >
                      <Trash2 size={14} aria-hidden />
                    </IconButton>
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        </>
      )}
      {isSetting && <LimitDialog onSet={onSet} onClose={() => setSetting(false)} />}
      <Confirm
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title="Take this limit away?"
        action="Take it away"
        isDangerous
        onConfirm={async () => leaving && onRemove(leaving)}
      >
        What it counts is no longer limited by it from the next request on.
      </Confirm>
    </>
  );
}
