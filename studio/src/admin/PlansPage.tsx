// The plans that the platform, or the reseller, offers, and its prices for what is used.
import { Archive, Ellipsis, Package, Pencil, Plus } from "lucide-react";
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { limitWordsOf, priceOf } from "../scopes/plans";
import { useMayBeyond } from "../session/session";
import { Button, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Menu, MenuItem } from "../ui/Menu";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { counted } from "../ui/words";
import { PlanDialog } from "./PlanDialog";
import { Prices } from "./Prices";

type Plan = Schema<"PlanView">;

const COLUMNS = [
  "Plan",
  "Price",
  { text: "Limits", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function PlansPage() {
  const query = $api.useQuery("get", "/api/plans");
  const mayWrite = useMayBeyond()("plan:write");
  const reread = useReread();
  const [editing, setEditing] = useState<Plan | "new" | null>(null);
  const [leaving, setLeaving] = useState<Plan | null>(null);
  const plans = query.data?.items ?? [];
  const add = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing("new")}>
      New plan
    </Button>
  );
  const save = async (body: Schema<"PlanRequest">) => {
    if (editing === "new") await api.POST("/api/plans", { body });
    else if (editing) await api.PUT("/api/plans/{id}", { params: { path: { id: editing.id } }, body });
    await reread("/api/plans");
  };
  return (
    <Page
      title="Plans and prices"
      description="A reseller's plans, if it has any, are offered to its clients in place of the platform's."
      actions={plans.length > 0 && add}
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && plans.length === 0 && (
        <EmptyState icon={<Package size={24} aria-hidden />} title="No plans yet" action={add}>
          A workspace without a plan is limited by nothing and pays nothing.
        </EmptyState>
      )}
      {plans.length > 0 && (
        <Table label="Plans" columns={COLUMNS}>
          {plans.map((plan) => (
            <PlanRow
              key={plan.id}
              plan={plan}
              mayWrite={mayWrite}
              onChange={() => setEditing(plan)}
              onWithdraw={() => setLeaving(plan)}
            />
          ))}
        </Table>
      )}
      <Prices />
      {editing && (
        <PlanDialog
          plan={editing === "new" ? null : editing}
          onSave={save}
          onClose={() => setEditing(null)}
        />
      )}
      <Confirm
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title={`Withdraw “${leaving?.name ?? ""}”?`}
        action="Withdraw"
        isDangerous
        onConfirm={async () => {
          if (!leaving) return;
          await api.DELETE("/api/plans/{id}", { params: { path: { id: leaving.id } } });
          await reread("/api/plans");
        }}
      >
        Nobody can choose it any more.
      </Confirm>
    </Page>
  );
}

type PlanRowProps = { plan: Plan; mayWrite: boolean; onChange: () => void; onWithdraw: () => void };

const PlanRow = ({ plan, mayWrite, onChange, onWithdraw }: PlanRowProps) => (
  <Row>
    <NameCell
      name={plan.name}
      title={plan.name}
      below={plan.trial_days > 0 && `${counted(plan.trial_days, "day")} to try it`}
    />
    <Cell className="whitespace-nowrap">{priceOf(plan)}</Cell>
    <Cell className="text-xs text-muted max-sm:hidden">{limitWordsOf(plan)}</Cell>
    <Cell className="py-1 text-right">
      {mayWrite && (
        <Menu
          trigger={
            <IconButton label={`What to do with ${plan.name}`} size="small">
              <Ellipsis size={16} aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<Pencil size={14} aria-hidden />} onSelect={onChange}>
            Change
          </MenuItem>
          <MenuItem icon={<Archive size={14} aria-hidden />} isDangerous onSelect={onWithdraw}>
            Withdraw…
          </MenuItem>
        </Menu>
      )}
    </Cell>
  </Row>
);
