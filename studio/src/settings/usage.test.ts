import { expect, test } from "vitest";

import { barsOf, kindsOf, sumsOf, type Usage } from "./usage";

const day = 86_400_000;
const used = (at: number, kind: string, quantity: number, attributes = {}): Usage => ({
  at,
  kind,
  quantity,
  attributes,
  events: 1,
});

test("a day without usage has a bar without quantities", () => {
  const bars = barsOf(
    [used(day, "run", 2), used(day + 5, "run", 3), used(3 * day, "message", 1)],
    day,
    3 * day,
  );
  expect(bars.map((bar) => bar.quantities)).toEqual([{ run: 5 }, {}, { message: 1 }]);
});

test("kinds come by how much was used", () => {
  expect(kindsOf([used(0, "run", 2), used(0, "message", 7)])).toEqual(["message", "run"]);
});

test("what is told apart is summed apart, and corrections count", () => {
  const items = [
    used(0, "message", 3, { category: "service" }),
    used(day, "message", -1, { category: "service" }),
    used(0, "message", 5, { category: "marketing" }),
  ];
  expect(sumsOf(items)).toEqual([
    { kind: "message", of: "marketing", quantity: 5 },
    { kind: "message", of: "service", quantity: 2 },
  ]);
});

test("workflows are called by their names where they are known", () => {
  const items = [used(0, "run", 2, { workflow: "wf_1" }), used(0, "run", 1, { workflow: "wf_2" })];
  const sums = sumsOf(items, new Map([["wf_1", "Support menu"]]));
  expect(sums.map((one) => one.of)).toEqual(["Support menu", "wf_2"]);
});
