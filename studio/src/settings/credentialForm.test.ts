import { expect, test } from "vitest";

import { begin, describing, stored, type CredentialKind } from "./credentialForm";

const BASIC: CredentialKind = {
  kind: "basic",
  title: "User name and password",
  help: "",
  provider: null,
  fields: [
    { name: "username", title: "User name", help: "", secret: false, required: true },
    { name: "password", title: "Password", help: "", secret: true, required: true },
    { name: "realm", title: "Realm", help: "", secret: false, required: false },
  ],
};
const GRANTED: CredentialKind = { ...BASIC, kind: "granted", fields: [], provider: "somewhere" };
const KINDS = [BASIC, GRANTED];

test("a described kind has a form, unless the credential holds more than the description knows", () => {
  expect(describing(KINDS, "basic", null)).toBe(BASIC);
  expect(describing(KINDS, "other", null)).toBeNull();
  expect(describing(KINDS, "granted", null)).toBeNull();
  const held = { kind: "basic", public: { username: "ana" }, secret_fields: ["password"] };
  expect(describing(KINDS, "basic", held)).toBe(BASIC);
  expect(describing(KINDS, "basic", { ...held, public: { user: "ana" } })).toBeNull();
  expect(describing(KINDS, "basic", { ...held, secret_fields: ["password", "pin"] })).toBeNull();
});

test("texts go where their description says, and empty ones nowhere", () => {
  const typed = { ...begin(null), texts: { username: "ana", password: "s3cret", realm: "", stray: "x" } };
  expect(stored(BASIC, typed)).toEqual({
    public: { username: "ana" },
    secret: { password: "s3cret" },
    isTyped: true,
  });
});

test("a change shows what may be shown, and leaves secrets that are not typed", () => {
  const typed = begin({ kind: "basic", public: { username: "ana" }, secret_fields: ["password"] });
  expect(typed.texts).toEqual({ username: "ana" });
  expect(stored(BASIC, typed)).toEqual({ public: { username: "ana" }, secret: {}, isTyped: false });
});

test("a kind that nobody describes is filled in by rows", () => {
  const typed = {
    ...begin(null),
    shown: [{ name: "user", value: "ana" }],
    secret: [{ name: "key", value: "k" }],
  };
  expect(stored(null, typed)).toEqual({ public: { user: "ana" }, secret: { key: "k" }, isTyped: true });
});
