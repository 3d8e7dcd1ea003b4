import { expect, test } from "vitest";

import { contactName, contactNumbers, contactProof } from "./contacts";

const bsuid = { kind: "bsuid", value: "IN.1", address: "IN.1" };
const phone = { kind: "phone", value: "919876543210", address: "919876543210" };

test("a customer is called by name, and meant by a number that people know", () => {
  const asha = { id: "con_1", name: "Asha", identities: [bsuid, phone] };
  expect(contactName(asha)).toBe("Asha");
  expect(contactNumbers(asha)).toBe("919876543210, IN.1");
  expect(contactProof(asha)).toBe("919876543210");
});

test("who has no name is called by a number, who has no number by the id", () => {
  expect(contactName({ id: "con_1", name: null, identities: [bsuid, phone] })).toBe("919876543210");
  expect(contactProof({ id: "con_1", name: null, identities: [] })).toBe("con_1");
});
