import { expect, test } from "vitest";

import { limitsOf, priceOf } from "../scopes/plans";
import { formOf, requestOf } from "./planForm";

const plan = {
  id: "plan_1",
  name: "Growth",
  currency: "INR",
  price: 499_500_000,
  period: "month" as const,
  trial_days: 7,
  limits: { messages: 1000, members: -1 },
  overage: { messages: 350_000 },
  features: ["api_access"],
  created_at: 0,
  updated_at: 0,
};

test("a plan comes back from its form as it went in", () => {
  const { id: _, created_at: __, updated_at: ___, ...fields } = plan;
  expect(requestOf(formOf(plan))).toEqual(fields);
});

test("what is typed becomes micro-units, whole numbers and words", () => {
  const form = { ...formOf(plan), price: "0.1", features: " api_access,  sso " };
  const request = requestOf({
    ...form,
    limits: [
      { name: " flows ", value: "3" },
      { name: "", value: "9" },
    ],
  });
  expect(request).toMatchObject({ price: 100_000, features: ["api_access", "sso"], limits: { flows: 3 } });
});

test("a plan is told by what it costs and what it limits", () => {
  expect(priceOf(plan)).toBe("₹499.50 a month");
  expect(priceOf({ ...plan, price: 0 })).toBe("free");
  expect(limitsOf(plan)).toEqual(["messages: 1,000, then ₹0.35 each"]);
});
