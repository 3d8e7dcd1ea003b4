import { expect, test } from "vitest";

import { auditQuestion, readAuditFilters } from "./auditFilters";

test("only what is filled in is asked", () => {
  expect(readAuditFilters(new URLSearchParams("actor=key_1&action=&other=x"))).toEqual({ actor: "key_1" });
});

test("days are asked from their first to their last moment", () => {
  const question = auditQuestion({ action: "credential", since: "2026-05-01", until: "2026-05-01" });
  expect(question.action).toBe("credential");
  expect(Number(question.until) - Number(question.since)).toBe(86_400_000 - 1);
});

test("a day that is none is not asked", () => {
  expect(auditQuestion({ since: "yesterday" })).toEqual({});
});
