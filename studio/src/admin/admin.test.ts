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

test("who runs a reseller sees its money and its clients, and not the people of the platform", () => {
  const reseller = [
    "client:read",
    "client:impersonate",
    "team:read",
    "plan:read",
    "ledger:read",
    "audit:read",
  ];
  const texts = sectionsFor(new Set(reseller)).map((section) => section.text);
  expect(texts).toEqual(["Clients", "Team", "Plans and prices", "Credits", "Impersonations", "Audit"]);
});
