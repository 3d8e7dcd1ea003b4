import { expect, test } from "vitest";

import { runsOf } from "./session";

const grant = (scope: string, id: string | null) => ({ scope, id, permissions: ["client:read"] });

test("who runs the platform and a reseller acts for the platform", () => {
  expect(runsOf([grant("reseller", "rs_1"), grant("platform", null)])).toEqual({ kind: "platform" });
  expect(runsOf([grant("reseller", "rs_1")])).toEqual({ kind: "reseller", id: "rs_1" });
  expect(runsOf([])).toBeNull();
});
