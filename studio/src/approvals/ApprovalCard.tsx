// One decision: what it is about, who may make it and until when, and the two answers.
import { useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/Copy";
import { Field } from "../ui/Field";
import { TextArea } from "../ui/Input";
import { ErrorNote } from "../ui/Note";
import { Time } from "../ui/Time";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";

type Approval = Schema<"ApprovalView">;

export function ApprovalCard({ approval }: { approval: Approval }) {
  const may = useMay();
  const title = approval.title || "A decision is needed";
  return (
    <article aria-label={title} className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4">
      <header className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="text-sm font-semibold break-words">{title}</h2>
          <p className="text-xs text-muted">
            Asked <Time at={approval.since} />
            {approval.expires_at !== null && (
              <>
                {" · "}goes on without a decision <Time at={approval.expires_at} />
              </>
            )}
          </p>
        </div>
        {approval.link && (
          <CopyButton text={approval.link} label="Copy the link for somebody without an account" />
        )}
      </header>
      {approval.message && <p className="text-sm break-words whitespace-pre-wrap">{approval.message}</p>}
      {approval.approvers.length > 0 && (
        <p className="text-xs text-muted">May be decided by {approval.approvers.join(", ")}</p>
      )}
      {may("approval:decide") && <Decide approval={approval} />}
      {may("run:read") && (
        <Link
          to={`/runs/${approval.run_id}`}
          className="self-start text-xs text-muted underline underline-offset-2"
        >
          The run that waits
        </Link>
      )}
    </article>
  );
}

function Decide({ approval }: { approval: Approval }) {
  const [note, setNote] = useState("");
  const client = useQueryClient();
  const form = useSubmit(
    async (decision: Schema<"Decision">) => {
      await api.POST("/api/approvals/{id}", {
        params: { path: { id: approval.id } },
        body: { decision, note: note || null },
      });
      toast.done(decision === "approve" ? "Approved." : "Rejected.");
      await client.invalidateQueries({ queryKey: ["get", "/api/approvals"] });
    },
    ["note"],
  );
  return (
    <div className="flex flex-col gap-2">
      <Field label="Note" error={form.errorAt("note")}>
        {(ids) => (
          <TextArea
            {...ids}
            rows={2}
            maxLength={4000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      <ErrorNote error={form.error} />
      <div className="grid grid-cols-2 gap-2 sm:flex">
        <Button
          look="primary"
          className="h-10 sm:h-8"
          icon={<Check size={16} aria-hidden />}
          busy={form.isBusy}
          onClick={() => void form.run("approve")}
        >
          Approve
        </Button>
        <Button
          look="danger"
          className="h-10 sm:h-8"
          icon={<X size={16} aria-hidden />}
          busy={form.isBusy}
          onClick={() => void form.run("reject")}
        >
          Reject
        </Button>
      </div>
    </div>
  );
}
