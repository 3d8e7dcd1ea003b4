import { expect, test } from "vitest";

import { wishFor } from "./wish";

test("the same wish keeps its name, another gets another", () => {
  const first = wishFor({ to: "ws_1", amount: 5 }, null);
  expect(first.name).toMatch(/^studio-[0-9a-z]{10,}$/);
  expect(wishFor({ to: "ws_1", amount: 5 }, first)).toBe(first);
  expect(wishFor({ to: "ws_1", amount: 6 }, first).name).not.toBe(first.name);
  expect(wishFor({ to: "ws_1", amount: 5 }, null).name).not.toBe(first.name);
});
