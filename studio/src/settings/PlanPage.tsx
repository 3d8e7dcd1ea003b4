// The plan of the workspace, those that it could choose, and its wallet.
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useAct, useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { exactTime } from "../ui/time";
import { limitsOf, priceOf } from "../scopes/plans";
import { Wallet } from "./Wallet";

type Plan = Schema<"PlanView">;

export default function PlanPage() {
  const may = useMay();
  const query = $api.useQuery("get", "/api/subscription", {}, { enabled: may("plan:read") });
  return (
    <Page title="Plan and wallet">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isLoading && <Loading />}
      {query.data && <Subscription state={query.data} />}
      {may("ledger:read") && <Wallet />}
    </Page>
  );
}

function Subscription({ state: { subscription, plans } }: { state: Schema<"SubscriptionState"> }) {
  const mayWrite = useMay()("workspace:write");
  const reread = useReread();
  const { act, isBusy } = useAct("/api/subscription", "/api/usage/allowances");
  const [isLeaving, setLeaving] = useState(false);
  // Choosing the same plan again takes a cancellation back.
  const isOver = subscription?.status === "cancelled" || subscription?.status === "expired";
  const choose = (plan: Plan, trial: boolean) =>
    act(
      () => api.PUT("/api/subscription", { body: { plan: plan.id, trial } }),
      `The plan is ${plan.name} now.`,
    );
  return (
    <>
      <Section title="Plan">
        {subscription ? (
          <div className="flex flex-wrap items-center gap-3 rounded-lg border border-line bg-surface p-4 text-sm">
            <div className="min-w-0 flex-1">
              <p className="flex items-center gap-2 font-medium">
                {subscription.plan.name} <StatusBadge status={subscription.status} />
              </p>
              <p className="text-muted">
                {priceOf(subscription.plan)} · until {exactTime(subscription.period_end)}
              </p>
            </div>
            {mayWrite && !isOver && (
              <Button look="danger" onClick={() => setLeaving(true)}>
                Cancel the plan
              </Button>
            )}
          </div>
        ) : (
          <EmptyState title="The workspace has no plan">
            It is limited by nothing and pays nothing.
          </EmptyState>
        )}
      </Section>
      {plans.length > 0 && (
        <Section
          title="Plans to choose from"
          description="A plan that costs is chosen by who manages the workspace."
        >
          <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {plans.map((plan) => (
              <li
                key={plan.id}
                className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-4 text-sm"
              >
                <h3 className="font-semibold">{plan.name}</h3>
                <p className="text-muted">{priceOf(plan)}</p>
                <ul className="flex-1 text-xs text-muted">
                  {limitsOf(plan).map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                  <li>{limitsOf(plan).length > 0 ? "everything else without limit" : "without limits"}</li>
                </ul>
                {mayWrite && (plan.id !== subscription?.plan.id || isOver) && (
                  <span className="flex gap-2">
                    {plan.price === 0 && (
                      <Button size="small" busy={isBusy} onClick={() => void choose(plan, false)}>
                        Choose {plan.name}
                      </Button>
                    )}
                    {plan.price > 0 && plan.trial_days > 0 && (
                      <Button size="small" busy={isBusy} onClick={() => void choose(plan, true)}>
                        Try {plan.name} for {plan.trial_days} days
                      </Button>
                    )}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Confirm
        isOpen={isLeaving}
        onClose={() => setLeaving(false)}
        title="Cancel the plan?"
        action="Cancel the plan"
        otherwise="Keep it"
        isDangerous
        onConfirm={async () => {
          await api.DELETE("/api/subscription");
          await reread("/api/subscription");
        }}
      >
        It ends with its period. Choosing a plan again takes this back.
      </Confirm>
    </>
  );
}
