// The doors that are seldom used: a forgotten password, another provider, an invitation that is none.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, PHONE, signIn, visit } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  // The app that is registered at the sandbox's provider.
  const provided = (sandbox: string) => ({
    SLUICE_OIDC_ISSUER: sandbox,
    SLUICE_OIDC_CLIENT_ID: "sandbox-client.apps.example.com",
    SLUICE_OIDC_CLIENT_SECRET: "sandbox-client-secret",
    SLUICE_EGRESS_ALLOW: "127.0.0.1",
  });
  [at, browser] = await Promise.all([Installation.start(provided), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const isInvalid = (page: Page, label: string) =>
  expect.poll(() => page.getByLabel(label).getAttribute("aria-invalid")).toBe("true");

test("who forgot the password sets a new one with the code of a letter", async () => {
  const { email } = await at.person(
    "fay@shop.test",
    "--name",
    "Fay",
    "--as",
    "viewer",
    "--workspace",
    "shop",
  );
  const { page, context, faults } = await visit(browser, at);
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Forgot the password?" }).click();
  await page.getByRole("heading", { name: "Forgot the password?" }).waitFor();
  await look(page, "forgot");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send a code" }).click();
  await page.getByRole("heading", { name: "Set a new password" }).waitFor();
  const code = await at.codeFor(email);
  await page.getByLabel("Code").fill(code === "000000" ? "000001" : "000000");
  await page.getByLabel("New password").fill("a brand new secret");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel("Code").fill(code);
  await page.getByLabel("New password").fill("password");
  await page.getByRole("button", { name: "Set the password" }).click();
  await isInvalid(page, "New password");
  await look(page, "reset");
  await page.getByLabel("New password").fill("a brand new secret");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page, { email, password: "a brand new secret" });
  expect(faults).toEqual([]);
  await context.close();
});

test("an address without an account is told the same, and no letter comes", async () => {
  const { page, context, faults } = await visit(browser, at, PHONE);
  await page.goto("/forgot");
  await page.getByLabel("E-mail").fill("nobody@nowhere.test");
  await page.getByRole("button", { name: "Send a code" }).click();
  await page.getByRole("heading", { name: "Set a new password" }).waitFor();
  const letters = await fetch(`${at.sandbox}/_sandbox/mail?to=nobody@nowhere.test`).then((one) => one.text());
  expect(letters).not.toContain("nobody@nowhere.test");
  await page.getByRole("link", { name: "Back to sign in" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("somebody comes in by another provider, to where they wanted to go", async () => {
  const { page, context, faults } = await visit(browser, at);
  await page.goto("/settings/profile");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByRole("link", { name: /^Go on with/ }).waitFor();
  await look(page, "sign-in-provider");
  await page.getByRole("link", { name: /^Go on with/ }).click();
  await page.getByRole("heading", { name: "Profile", level: 1 }).waitFor();
  expect(await page.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Asha Rao");
  await page.getByText("asha@example.com").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("who is refused by another provider is told so at the door", async () => {
  const { page, context } = await visit(browser, at);
  await page.goto("/api/oidc/callback?error=access_denied&state=none");
  await page.getByText("The other provider did not sign you in").waitFor();
  await look(page, "sign-in-refused");
  await context.close();
});

test("an invitation that is none, is over, or is somebody else's says so", async () => {
  const invitation = await at.api<{ id: string; token: string }>("POST", "/api/invitations", {
    email: "gus@guest.test",
    role: "viewer",
  });
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.goto("/invitation?token=no-such-token");
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel("Token").fill(invitation.token);
  await page.getByRole("button", { name: "Show the invitation" }).click();
  await page.getByText("gus@guest.test is invited as viewer").waitFor();
  await page.getByText(`You are signed in as ${at.owner.email}. Only gus@guest.test can accept.`).waitFor();
  expect(await page.getByRole("button", { name: "Accept" }).count()).toBe(0);
  await look(page, "invitation-refused");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "sign up" }).waitFor();
  await at.api("DELETE", `/api/invitations/${invitation.id}`);
  await page.getByRole("button", { name: "Another token" }).click();
  await page.getByRole("button", { name: "Show the invitation" }).click();
  await page.getByRole("alert").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("somebody without an account signs up from the invitation, and is led back to it", async () => {
  const email = "hana@guest.test";
  const wish = { email, role: "viewer" };
  const { token } = await at.api<{ token: string }>("POST", "/api/invitations", wish);
  const { page, context, faults } = await visit(browser, at);
  await page.goto(`/invitation?token=${token}`);
  await page.getByText(`${email} is invited as viewer to a workspace.`).waitFor();
  await page.getByRole("link", { name: "sign up" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Hana");
  expect(await page.getByRole("textbox", { name: "E-mail" }).inputValue()).toBe(email);
  await page.getByRole("textbox", { name: "Password" }).fill("a long enough secret");
  await page.getByRole("textbox", { name: "Phone" }).fill("call me");
  await page.getByRole("button", { name: "Sign up" }).click();
  await isInvalid(page, "Phone");
  await page.getByRole("textbox", { name: "Phone" }).fill("");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("heading", { name: "Enter the code" }).waitFor();
  await page.getByRole("textbox", { name: "Code" }).fill(await at.codeFor(email));
  await page.getByRole("button", { name: "Prove the address" }).click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill("a long enough secret");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("You are signed in as").waitFor();
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByRole("button", { name: "Workspace: shop" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
