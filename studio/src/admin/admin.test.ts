import { expect, test } from "vitest";

import { addressName } from "./NewScopeDialog";
import { sectionsFor } from "./sections";

test.each([
  ["Asha's Flowers", "asha-s-flowers"],
  ["  Café Zürich  ", "cafe-zurich"],
  ["--", ""],
])("%s becomes %s in addresses", (name, address) => {
  expect(addressName(name)).toBe(address);
});

test("who runs clients sees clients and nothing of the platform", () => {
  const open = sectionsFor(new Set(["client:read", "client:write"]));
  expect(open.map((section) => section.text)).toEqual(["Clients"]);
});
