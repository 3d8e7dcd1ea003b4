// How the workspace looks, what it used, and its plan.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { echo } from "./documents.ts";
import { openBrowser, openSection, signIn, visit } from "./harness/browser.ts";
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

const open = (page: Page, name: string) => openSection(page, "Settings", name);
const accent = () => document.documentElement.style.getPropertyValue("--accent");

test("the workspace gets a name and a colour, and claims a host name", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "Branding");
  await page.getByRole("textbox", { name: "Colour on light ground", exact: true }).fill("violet");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("Asha Foods");
  await page.getByRole("textbox", { name: "Colour on light ground", exact: true }).fill("#6d28d9");
  await page.getByRole("textbox", { name: "Colour on dark ground", exact: true }).fill("#c4b5fd");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Asha Foods").first().waitFor();
  await expect.poll(() => page.evaluate(accent)).toBe("#6d28d9");
  await page.getByRole("button", { name: "Claim a name" }).click();
  await page.getByRole("textbox", { name: "Host name" }).fill("chat.example.com");
  await page.getByRole("button", { name: "Claim it" }).click();
  await page
    .getByRole("row", { name: /chat.example.com/ })
    .getByText("_sluice.chat.example.com")
    .waitFor();
  await look(page, "settings-branding");
  expect(faults).toEqual([]);
  await context.close();
});

test("what was used is shown by day, and what the plan leaves", async () => {
  await at.workflow(echo, true);
  await at.customerWrites("hello");
  await until(
    "usage",
    async () => (await at.api<{ items: unknown[] }>("GET", "/api/usage")).items.length > 1,
  );
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "Plan and wallet");
  await page.getByText("The workspace has no plan").waitFor();
  await page.getByRole("button", { name: "Choose Free" }).click();
  await page.getByRole("button", { name: "Cancel the plan" }).waitFor();
  await look(page, "settings-plan");
  await page.getByRole("button", { name: "Cancel the plan" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel the plan" }).click();
  await page.getByText("cancelled").waitFor();
  await page.getByRole("button", { name: "Choose Free" }).click();
  await page.getByText("cancelled").waitFor({ state: "detached" });
  await open(page, "Usage");
  await page.getByRole("cell", { name: "message", exact: true }).waitFor();
  await page.getByRole("heading", { name: "What the plan leaves" }).waitFor();
  await page.getByRole("img", { name: /Usage by day/ }).waitFor();
  await look(page, "settings-usage");
  expect(faults).toEqual([]);
  await context.close();
});
