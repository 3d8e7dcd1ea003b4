// What is held about people: a customer is exported and erased, a member takes a copy and leaves.
import { readFile } from "node:fs/promises";
import type { Browser, Download, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { echo } from "./documents.ts";
import { openBrowser, PHONE, signIn, visit } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";
import { until } from "./harness/process.ts";

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const saved = async (page: Page, click: () => Promise<void>) => {
  const [file] = await Promise.all<[Promise<Download>, Promise<void>]>([
    page.waitForEvent("download"),
    click(),
  ]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
};
const messages = async () => (await at.api<{ items: unknown[] }>("GET", "/api/conversations")).items.length;

test("a customer is found, exported and erased, and the proof holds", async () => {
  await at.workflow(echo, true);
  await at.customerWrites("I live at 7 Rose Street");
  await at.customerWrites("hello", "919811112222", "Ravi");
  await until("two conversations", async () => (await messages()) === 2);
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("link", { name: "Personal data" }).click();
  await page.getByRole("row", { name: /Ravi/ }).waitFor();
  const find = page.getByRole("searchbox", { name: "Find a customer" });
  await find.fill("nobody like that");
  await find.press("Enter");
  await page.getByText("Nobody is known by that").waitFor();
  await find.fill("98765");
  await page.getByRole("button", { name: "Find" }).click();
  const row = page.getByRole("row", { name: /Asha/ });
  await row.waitFor();
  expect(await page.getByRole("row", { name: /Ravi/ }).count()).toBe(0);
  const { name, text } = await saved(page, () => row.getByRole("button", { name: "Export Asha" }).click());
  expect(name).toBe("asha.json");
  expect(text).toContain("7 Rose Street");
  expect(text).not.toContain("919811112222");
  await row.getByRole("button", { name: "Erase… Asha" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type 919876543210").fill("Asha");
  await dialog.getByRole("button", { name: "Erase for good" }).click();
  await dialog.getByText("Type 919876543210 to erase this customer.").waitFor();
  await look(page, "settings-erase");
  await dialog.getByLabel("Type 919876543210").fill("919876543210");
  await dialog.getByRole("button", { name: "Erase for good" }).click();
  await page.getByText("Nobody is known by that").waitFor();
  const proof = page.getByRole("row", { name: /seal holds/ });
  await proof.getByText(/message/).waitFor();
  await find.fill("");
  await find.press("Enter");
  await page.getByRole("row", { name: /Ravi/ }).waitFor();
  await look(page, "settings-personal-data");
  await proof.getByRole("button", { name: /Proof/ }).click();
  await dialog.getByText("The record is as it was sealed.").waitFor();
  await look(page, "settings-erasure");
  expect(await messages()).toBe(1);
  expect(faults).toEqual([]);
  await context.close();
});

test("personal data on a phone", async () => {
  const { page, context, faults } = await visit(browser, at, PHONE);
  await signIn(page, at.owner);
  await page.goto("/settings/personal-data?search=Ravi");
  await page.getByRole("row", { name: /Ravi/ }).waitFor();
  await look(page, "settings-personal-data-phone");
  expect(faults).toEqual([]);
  await context.close();
});

test("a member takes a copy of what is held about them, and leaves", async () => {
  const vera = await at.person("vera@shop.test", "--name", "Vera", "--as", "viewer", "--workspace", "shop");
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, vera);
  await page.goto("/settings/profile");
  const { text } = await saved(page, () => page.getByRole("button", { name: "Download it" }).click());
  expect(JSON.parse(text)).toMatchObject({ person: { email: vera.email, name: "Vera" } });
  await page.getByRole("button", { name: "Delete your account…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Your password").fill("not it");
  await dialog.getByRole("button", { name: "Delete it for good" }).click();
  await expect.poll(() => dialog.getByLabel("Your password").getAttribute("aria-invalid")).toBe("true");
  await look(page, "settings-leave");
  await dialog.getByLabel("Your password").fill(vera.password);
  await dialog.getByRole("button", { name: "Delete it for good" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByRole("textbox", { name: "E-mail" }).fill(vera.email);
  await page.getByRole("textbox", { name: "Password" }).fill(vera.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("do not fit").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the only owner cannot leave, and is told why", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.goto("/settings/profile");
  await page.getByRole("button", { name: "Delete your account…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Your password").fill(at.owner.password);
  await dialog.getByRole("button", { name: "Delete it for good" }).click();
  await dialog.getByRole("alert").getByText(/owner/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Signed in: Olga Owner" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
