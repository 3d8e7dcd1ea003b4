import { expect, test } from "vitest";

import { rowsOf, valueOf } from "./fields";

test("named values become rows and come back", () => {
  const value = { user: "asha", place: "north" };
  expect(valueOf(rowsOf(value))).toEqual(value);
});

test("rows without a name are left out, and names are trimmed", () => {
  expect(
    valueOf([
      { name: " token ", value: "x" },
      { name: "  ", value: "y" },
    ]),
  ).toEqual({ token: "x" });
});
