// A plan as the rows and texts of its form, and back. Must not know React.
import type { Schema } from "../api/client";
import { amountOf, microOf } from "../scopes/money";
import { rowsOf, valueOf, type FieldRow } from "../ui/fields";

type Plan = Schema<"PlanView">;

export type PlanForm = {
  name: string;
  price: string;
  currency: string;
  period: Schema<"Period">;
  trialDays: string;
  limits: FieldRow[];
  overage: FieldRow[];
  /** Words, with spaces or commas between them. */
  features: string;
};

/** What the program itself counts: a new plan begins with these names. */
const COUNTED = ["messages", "members", "numbers", "automations"];

const numbers = (rows: FieldRow[], read: (text: string) => number) =>
  Object.fromEntries(Object.entries(valueOf(rows)).map(([name, text]) => [name, read(text)]));

export function formOf(plan: Plan | null): PlanForm {
  if (!plan) {
    const limits = COUNTED.map((name) => ({ name, value: "-1" }));
    const none = { overage: [], features: "" };
    return { name: "", price: "0", currency: "INR", period: "month", trialDays: "0", limits, ...none };
  }
  return {
    name: plan.name,
    price: amountOf(plan.price),
    currency: plan.currency,
    period: plan.period,
    trialDays: String(plan.trial_days),
    limits: rowsOf(plan.limits),
    overage: rowsOf(plan.overage).map(({ name, value }) => ({ name, value: amountOf(Number(value)) })),
    features: plan.features.join(", "),
  };
}

export function requestOf(form: PlanForm): Schema<"PlanRequest"> {
  return {
    name: form.name,
    price: microOf(form.price),
    currency: form.currency.trim().toUpperCase(),
    period: form.period,
    trial_days: Number(form.trialDays),
    limits: numbers(form.limits, Number),
    overage: numbers(form.overage, microOf),
    features: form.features.split(/[\s,]+/).filter(Boolean),
  };
}
