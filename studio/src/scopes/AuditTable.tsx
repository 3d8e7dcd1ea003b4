// Entries of a trail; each opens to what was before and after.
import { Fragment, useState } from "react";

import type { Schema } from "../api/client";
import { Button } from "../ui/Button";
import { JsonView } from "../ui/JsonView";
import { Cell, Row, Table } from "../ui/Table";
import { Time } from "../ui/Time";

const COLUMNS = [
  "When",
  { text: "Who", className: "max-sm:hidden" },
  "What",
  { text: "On what", className: "max-sm:hidden" },
  { text: "Details", isHidden: true },
];

export function AuditTable({ entries }: { entries: Schema<"EntryView">[] }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Table label="Audit trail" columns={COLUMNS}>
      {entries.map((entry) => {
        const isOpen = open === entry.id;
        return (
          <Fragment key={entry.id}>
            <Row>
              <Cell className="text-muted">
                <Time at={entry.at} />
              </Cell>
              <Cell className="max-w-48 max-sm:hidden">
                <span className="block truncate" title={entry.actor.id}>
                  {entry.actor.name || entry.actor.id}
                </span>
                <span className="block truncate text-xs text-muted">
                  {entry.actor.kind}
                  {entry.actor.impersonated_by && ` · in their place: ${entry.actor.impersonated_by}`}
                </span>
              </Cell>
              <Cell>
                <code className="text-xs break-words">{entry.action}</code>
                <span className="block text-xs break-words text-muted sm:hidden">
                  {entry.actor.name || entry.actor.id}: {entry.target.name || entry.target.id}
                </span>
              </Cell>
              <Cell className="max-w-48 max-sm:hidden">
                <span className="block truncate" title={entry.target.id}>
                  {entry.target.name || entry.target.id}
                </span>
                <span className="block text-xs text-muted">{entry.target.kind}</span>
              </Cell>
              <Cell className="text-right">
                <Button
                  size="small"
                  look="quiet"
                  aria-expanded={isOpen}
                  onClick={() => setOpen(isOpen ? null : entry.id)}
                >
                  {isOpen ? "Less" : "More"}
                  <span className="sr-only">of entry {entry.seq}</span>
                </Button>
              </Cell>
            </Row>
            {isOpen && (
              <tr>
                <td colSpan={5} className="px-3 pb-3">
                  <Details entry={entry} />
                </td>
              </tr>
            )}
          </Fragment>
        );
      })}
    </Table>
  );
}

const Details = ({ entry }: { entry: Schema<"EntryView"> }) => (
  <div className="grid gap-2 md:grid-cols-2">
    <p className="text-xs text-muted md:col-span-2">
      {entry.id} · {entry.actor.id} {entry.actor.address && `from ${entry.actor.address}`}{" "}
      {entry.actor.request_id && `in ${entry.actor.request_id}`} · on {entry.target.id}
    </p>
    <Side title="Before" value={entry.before} />
    <Side title="After" value={entry.after} />
  </div>
);

const Side = ({ title, value }: { title: string; value: unknown }) => (
  <div className="min-w-0">
    <h3 className="mb-1 text-xs text-muted">{title}</h3>
    {value == null ? (
      <p className="text-sm text-muted">Nothing.</p>
    ) : (
      <JsonView label={title} value={value} />
    )}
  </div>
);
