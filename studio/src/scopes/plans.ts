// Plans in words. Must not know React.
import type { Schema } from "../api/client";
import { money } from "./money";

type Plan = Schema<"PlanView">;

/** Such as "₹499.00 a month". */
export const priceOf = ({ price, currency, period }: Pick<Plan, "price" | "currency" | "period">) =>
  price === 0 ? "free" : `${money(price, currency)} a ${period}`;

/** Such as "1,000 messages" and "unlimited members", and what is charged beyond them. */
export const limitsOf = ({ limits, overage, currency }: Pick<Plan, "limits" | "overage" | "currency">) =>
  Object.entries(limits as Record<string, number>).map(([name, limit]) => {
    const what = name.replaceAll("_", " ");
    const beyond = (overage as Record<string, number>)[name];
    if (limit < 0) return `unlimited ${what}`;
    const most = `${limit.toLocaleString("en")} ${what}`;
    return beyond === undefined ? most : `${most}, then ${money(beyond, currency)} each`;
  });
