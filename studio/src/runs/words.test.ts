import { expect, test } from "vitest";

import type { Schema } from "../api/client";
import { exactTime } from "../ui/time";
import { runSpan, stepsOf, waitWords } from "./words";

const until = Date.UTC(2026, 4, 1, 12);

test.each([
  [{ kind: "reply", until }, `Waits for the customer's reply, until ${exactTime(until)} at the latest.`],
  [{ kind: "signal", signal: "paid" }, "Waits for a signal “paid”."],
  [{ kind: "time", until }, `Waits until ${exactTime(until)}.`],
  [{ kind: "approval" }, "Waits for a decision."],
  [{ kind: "tide" }, "Waits (tide)."],
])("what %o waits for", (wait, words) => {
  expect(waitWords(wait)).toBe(words);
});

test("a run that has not begun has taken no time, and one under way takes until now", () => {
  expect(runSpan({ started_at: null, ended_at: null }, 50)).toBeNull();
  expect(runSpan({ started_at: 10, ended_at: null }, 50)).toBe(40);
  expect(runSpan({ started_at: 10, ended_at: 30 }, 50)).toBe(20);
});

test("what was skipped or has not begun is no step", () => {
  const node = (id: string, status: string, attempt: number) =>
    ({ id, status, attempt }) as Schema<"NodeRunView">;
  const nodes = [node("a", "succeeded", 1), node("b", "skipped", 0), node("c", "pending", 0)];
  expect(stepsOf(nodes).map((one) => one.id)).toEqual(["a"]);
});
