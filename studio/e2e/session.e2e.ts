// Coming in and going out: password, key, signing up, a forgotten password.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, signIn, visit } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

test("a stranger is led to the door, and after signing in to where they wanted to go", async () => {
  const { page, context, faults } = await visit(browser, at);
  await page.goto("/settings/members");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await look(page, "sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(at.owner.email);
  await page.getByRole("textbox", { name: "Password" }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("do not fit").waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill(at.owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Members" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/settings/members");
  await page.reload();
  await page.getByRole("cell", { name: at.owner.email }).waitFor();
  await page.getByRole("button", { name: "Signed in: Olga Owner" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto("/runs");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an API key opens the studio until the tab is closed", async () => {
  const { page, context, faults } = await visit(browser, at);
  await page.goto("/sign-in");
  await page.getByRole("tab", { name: "With an API key" }).click();
  await page.getByRole("textbox", { name: "API key" }).fill("sk_nobody");
  await page.getByRole("button", { name: "Go on with the key" }).click();
  await page.getByText("The server does not know this key").waitFor();
  await page.getByRole("textbox", { name: "API key" }).fill(at.key);
  await page.getByRole("button", { name: "Go on with the key" }).click();
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Signed in: cli" }).waitFor();
  const other = await context.newPage();
  await other.goto("/runs");
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("signing up takes a code from the letter and makes a workspace", async () => {
  const email = "ravi@flowers.test";
  const { page, context, faults } = await visit(browser, at);
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Ravi");
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill("a long enough secret");
  await page.getByRole("textbox", { name: "Business" }).fill("Ravi's Flowers");
  await look(page, "sign-up");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("heading", { name: "Enter the code" }).waitFor();
  await page.getByRole("textbox", { name: "Code" }).fill("000000");
  await page.getByRole("button", { name: "Prove the address" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("textbox", { name: "Code" }).fill(await at.codeFor(email));
  await page.getByRole("button", { name: "Prove the address" }).click();
  await page.getByRole("heading", { name: "Thank you" }).waitFor();
  await signIn(page, { email, password: "a long enough secret" });
  await page.getByRole("button", { name: /Workspace: Ravi's Flowers/ }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an address that leads nowhere says so", async () => {
  const { page, context } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.goto("/no/such/page");
  await page.getByText("There is no page at this address.").waitFor();
  await look(page, "not-found");
  await context.close();
});
