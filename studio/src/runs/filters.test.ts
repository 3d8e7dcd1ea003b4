import { expect, test } from "vitest";

import { questionOf, readFilters, writeFilters } from "./filters";

test("filters survive the page's address", () => {
  const filters = { workflow: "wf_1", status: "failed", since: "24h", attention: true } as const;
  expect(readFilters(writeFilters(filters))).toEqual(filters);
  expect(readFilters(writeFilters({}))).toEqual({});
});

test("what no list knows is left out", () => {
  expect(readFilters(new URLSearchParams("status=exploded&since=yesterday&attention=no"))).toEqual({});
});

test("a span is asked for from a whole minute on, so that asking again is the same question", () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const question = questionOf({ since: "1h", status: "failed" }, now);
  expect(question).toEqual({ status: "failed", since: String(Date.UTC(2026, 0, 2, 2, 4, 0)) });
  expect(questionOf({ since: "1h", status: "failed" }, now + 10_000)).toEqual(question);
});
