import { expect, test } from "vitest";

import type { Schema } from "../api/client";
import { afterRunEvents } from "./useLiveRuns";

const run = (id: string) => ({ id, status: "running", ended_at: null }) as Schema<"RunSummary">;
const parts = { pages: [{ items: [run("run_a"), run("run_b")] }], pageParams: [null] };
const event = (name: string, run_id: string) => ({ event: name, run_id, workflow_id: "wf", seq: 1, at: 7 });

test("the last thing that happened to a run counts", () => {
  const after = afterRunEvents(parts, [event("run.waiting", "run_a"), event("run.succeeded", "run_a")]);
  expect(after.pages[0]?.items.map((one) => [one.status, one.ended_at])).toEqual([
    ["succeeded", 7],
    ["running", null],
  ]);
});

test("a run that goes on again has not ended", () => {
  const ended = afterRunEvents(parts, [event("run.failed", "run_a")]);
  const after = afterRunEvents(ended, [event("run.retried", "run_a")]);
  expect(after.pages[0]?.items[0]).toMatchObject({ status: "running", ended_at: null });
});

test("what concerns no run of the list changes nothing, not even the object", () => {
  expect(afterRunEvents(parts, [event("run.failed", "run_z"), event("node.failed", "run_a")])).toBe(parts);
});
