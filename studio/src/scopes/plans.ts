// Plans in words. Must not know React.
import type { Schema } from "../api/client";
import { money } from "./money";

type Plan = Schema<"PlanView">;

/** Such as "₹499.00 a month". */
export const priceOf = ({ price, currency, period }: Pick<Plan, "price" | "currency" | "period">) =>
  price === 0 ? "free" : `${money(price, currency)} a ${period}`;

/** Such as "members: 10", and what is charged beyond it. What is not limited is not listed. */
export const limitsOf = ({ limits, overage, currency }: Pick<Plan, "limits" | "overage" | "currency">) =>
  Object.entries(limits as Record<string, number>)
    .filter(([, limit]) => limit >= 0)
    .map(([name, limit]) => {
      const beyond = (overage as Record<string, number>)[name];
      const most = `${name.replaceAll("_", " ")}: ${limit.toLocaleString("en")}`;
      return beyond === undefined ? most : `${most}, then ${money(beyond, currency)} each`;
    });

/** The limits in one line. */
export const limitWordsOf = (plan: Parameters<typeof limitsOf>[0]) =>
  limitsOf(plan).join(" · ") || "without limits";
