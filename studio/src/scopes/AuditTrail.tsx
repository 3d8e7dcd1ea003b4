// A trail of what was done: filters, entries with what changed, the same as a table for a spreadsheet, and its proof. Must
// not know whose trail it is.
import { Download, ShieldCheck } from "lucide-react";
import { useState, type FormEvent } from "react";

import { api, type Schema } from "../api/client";
import { download } from "../api/download";
import { Button } from "../ui/Button";
import { EmptyState, Note } from "../ui/Note";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { AuditTable } from "./AuditTable";
import { AUDIT_FIELDS, auditQuestion, type AuditFilters } from "./auditFilters";

type AuditTrailProps = {
  entries: Schema<"EntryView">[];
  isRead: boolean;
  filters: AuditFilters;
  onFilter: (filters: AuditFilters) => void;
  of: "workspace" | "platform";
};

const LABELS: Record<(typeof AUDIT_FIELDS)[number], string> = {
  actor: "Who",
  action: "What",
  target: "On what",
  request_id: "Request",
  since: "From",
  until: "To",
};

const HINTS: Partial<typeof LABELS> = {
  actor: "id or name",
  action: "credential.updated",
  target: "id or name",
};

export function AuditTrail({ entries, isRead, filters, onFilter, of }: AuditTrailProps) {
  const [values, setValues] = useState<AuditFilters>(filters);
  const { found, isBusy, verify } = useVerification(of);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onFilter(values);
  };
  const base = of === "workspace" ? "/api/audit.csv" : "/api/platform/audit.csv";
  const address = `${base}?${new URLSearchParams(auditQuestion(filters))}`;
  return (
    <>
      <form
        onSubmit={submit}
        aria-label="Filters"
        className="grid grid-cols-2 items-end gap-2 sm:grid-cols-4"
      >
        {AUDIT_FIELDS.map((name) => (
          <TextField
            key={name}
            label={LABELS[name]}
            type={name === "since" || name === "until" ? "date" : "text"}
            placeholder={HINTS[name]}
            value={values[name] ?? ""}
            onChange={(value) => setValues({ ...values, [name]: value })}
          />
        ))}
        <div className="col-span-2 flex flex-wrap gap-2">
          <Button type="submit">Filter</Button>
          <Button
            icon={<Download size={14} aria-hidden />}
            onClick={() => void download(address, "audit.csv").catch(toast.error)}
          >
            CSV
          </Button>
          <Button icon={<ShieldCheck size={14} aria-hidden />} busy={isBusy} onClick={() => void verify()}>
            Verify
          </Button>
        </div>
      </form>
      {found && <Verdict found={found} />}
      {isRead && entries.length === 0 && <EmptyState title="No entry is like that." />}
      {entries.length > 0 && <AuditTable entries={entries} />}
    </>
  );
}

/** Walks through the trail from its first entry to its newest. */
function useVerification(of: "workspace" | "platform") {
  const [found, setFound] = useState<Schema<"Verification"> | null>(null);
  const [isBusy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    try {
      const { data } =
        of === "workspace" ? await api.GET("/api/audit/verify") : await api.GET("/api/platform/audit/verify");
      setFound(data ?? null);
    } catch (error) {
      toast.error(error);
    } finally {
      setBusy(false);
    }
  };
  return { found, isBusy, verify };
}

const Verdict = ({ found }: { found: Schema<"Verification"> }) => (
  <Note tone={found.is_whole ? "info" : "bad"}>
    {found.is_whole
      ? `All ${found.entries} entries are as they were written.`
      : found.faults.map((fault) => `${fault.chain} ${fault.seq ?? ""}: ${fault.reason}`).join("; ")}
  </Note>
);
