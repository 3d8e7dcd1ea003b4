import { expect, test } from "vitest";

import { amountOf, currencyOf, kindOf, microOf, money } from "./money";

test("micro-units become money, and small prices are not rounded away", () => {
  expect(money(1_234_500_000, "INR")).toBe("₹1,234.50");
  expect(money(-2_000_000, "INR")).toBe("-₹2.00");
  expect(money(1150, "INR")).toBe("₹0.00115");
});

test("an account is a kind and a currency", () => {
  expect([kindOf("bonus/INR"), currencyOf("bonus/INR")]).toEqual(["bonus", "INR"]);
});

test("what is typed is counted in micro-units, and comes back as it was", () => {
  expect([microOf("499.50"), microOf("0.1"), microOf("0.000001")]).toEqual([499_500_000, 100_000, 1]);
  expect([amountOf(499_500_000), amountOf(1)]).toEqual(["499.5", "0.000001"]);
});
