// The subscription of a client: choosing a plan for it, reporting payments, ending it.
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { limitWordsOf, priceOf } from "../scopes/plans";
import { useMayBeyond } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { FormDialog } from "../ui/FormDialog";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Section } from "../ui/Page";
import { TextField } from "../ui/TextField";
import { exactTime } from "../ui/time";
import { useSubmit } from "../ui/useSubmit";
import { ChoosePlanDialog } from "./ChoosePlanDialog";

type Change = Schema<"SubscriptionChangeRequest">;
type Report = Exclude<Change["change"], "choose">;

const REPORTS: Record<Report, { text: string; says: string; isDangerous?: boolean }> = {
  renew: { text: "Report a payment", says: "The next period is paid." },
  past_due: {
    text: "Report a failed payment",
    says: "Everything still works for a week; then the plan is over.",
  },
  cancel: { text: "End with its period", says: "Until then everything works.", isDangerous: true },
  expire: { text: "End now", says: "The plan is over at once: nothing may be spent.", isDangerous: true },
};
/** What can be reported of a subscription that stands like this. */
const OPEN: Record<Schema<"SubscriptionStanding">, Report[]> = {
  trial: ["renew", "cancel", "expire"],
  active: ["renew", "past_due", "cancel", "expire"],
  past_due: ["renew", "cancel", "expire"],
  cancelled: ["renew", "expire"],
  expired: [],
};

export function ClientPlan({ id }: { id: string }) {
  const query = $api.useQuery("get", "/api/clients/{id}/subscription", { params: { path: { id } } });
  const mayWrite = useMayBeyond()("plan:write");
  const reread = useReread();
  const [open, setOpen] = useState<Report | "choose" | null>(null);
  const close = () => setOpen(null);
  if (!query.data) return <ErrorNote error={query.error} onRetry={() => void query.refetch()} />;
  const { subscription, plans } = query.data;
  const change = async (body: Change) => {
    await api.PUT("/api/clients/{id}/subscription", { params: { path: { id } }, body });
    await reread("/api/clients/{id}/subscription");
  };
  const choose = mayWrite && plans.length > 0 && (
    <Button onClick={() => setOpen("choose")}>{subscription ? "Another plan" : "Choose a plan"}</Button>
  );
  return (
    <Section title="Plan" actions={subscription && choose}>
      {subscription ? (
        <div className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4 text-sm">
          <div>
            <p className="flex items-center gap-2 font-medium">
              {subscription.plan.name} <StatusBadge status={subscription.status} />
            </p>
            <p className="text-muted">
              {priceOf(subscription.plan)} · {exactTime(subscription.period_start)} to{" "}
              {exactTime(subscription.period_end)}
            </p>
            <p className="text-xs text-muted">{limitWordsOf(subscription.plan)}</p>
          </div>
          {mayWrite && OPEN[subscription.status].length > 0 && (
            <div className="flex flex-wrap gap-2">
              {OPEN[subscription.status].map((one) => (
                <Button
                  key={one}
                  size="small"
                  look={REPORTS[one].isDangerous ? "danger" : "plain"}
                  onClick={() => setOpen(one)}
                >
                  {REPORTS[one].text}
                </Button>
              ))}
            </div>
          )}
        </div>
      ) : (
        <EmptyState title="The workspace has no plan" action={choose}>
          It is limited by nothing and pays nothing.
        </EmptyState>
      )}
      {open === "choose" && <ChoosePlanDialog plans={plans} onChoose={change} onClose={close} />}
      {open && open !== "choose" && (
        <ReportDialog report={open} onReport={(note) => change({ change: open, note })} onClose={close} />
      )}
    </Section>
  );
}

type ReportDialogProps = {
  report: Report;
  onReport: (note: string | null) => Promise<unknown>;
  onClose: () => void;
};

function ReportDialog({ report, onReport, onClose }: ReportDialogProps) {
  const { text, says } = REPORTS[report];
  const [note, setNote] = useState("");
  const form = useSubmit(async () => {
    await onReport(note || null);
    onClose();
  }, ["note"]);
  return (
    <FormDialog title={`${text}?`} description={says} action={text} form={form} onClose={onClose}>
      <TextField
        label="Note"
        hint="For people: the payment, or why."
        value={note}
        onChange={setNote}
        error={form.errorAt("note")}
      />
    </FormDialog>
  );
}
