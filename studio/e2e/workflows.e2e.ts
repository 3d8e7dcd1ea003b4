// Workflows as a whole: made, installed, exported, imported, copied, deleted.
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { refund } from "./documents.ts";
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

test("a workflow is made from nothing and opened", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByText("No workflows yet").waitFor();
  await look(page, "workflows-empty");
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Greeting");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.waitForURL(/\/workflows\/wf_/);
  await page.goto("/workflows");
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Greeting");
  await page.getByRole("button", { name: "Make it" }).click();
  await page
    .getByRole("alert")
    .getByText(/in use|taken|another/i)
    .waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  expect(faults).toEqual([]);
  await context.close();
});

test("a template is installed and published", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByRole("link", { name: "Templates" }).click();
  await page.getByRole("button", { name: "Install Support menu" }).waitFor();
  await look(page, "templates");
  await page.getByRole("button", { name: "Install Support menu" }).click();
  await page.getByLabel("Publish it at once").click();
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.waitForURL(/\/workflows\/wf_/);
  await page.goto("/workflows");
  await page
    .getByRole("row", { name: /Support menu/ })
    .getByText("published v1")
    .waitFor();
  await look(page, "workflows");
  expect(faults).toEqual([]);
  await context.close();
});

test("an export, deleted and imported, is the same workflow", async () => {
  const id = await at.workflow(refund());
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByRole("button", { name: "What to do with Refund" }).click();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Export" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("refund.json");
  const text = await readFile(await saved.path(), "utf8");
  await page.getByRole("button", { name: "What to do with Refund" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByText("This cannot be undone").waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("row", { name: /Refund/ }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByLabel("From files").setInputFiles({
    name: "refund.json",
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
  const link = page.getByRole("dialog").getByRole("link", { name: "Refund" });
  const address = await link.getAttribute("href");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row", { name: /Refund/ }).waitFor();
  expect(address).not.toBe(`/workflows/${id}`);
  const again = await fetch(`${at.server}/api${address}/export`, {
    headers: { authorization: `Bearer ${at.key}` },
  });
  expect(await again.text()).toBe(text);
  await page.getByRole("button", { name: "What to do with Refund" }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await page.getByRole("row", { name: /Refund.*2/ }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("what is pasted and is no workflow is refused in words", async () => {
  const { page, context } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByRole("button", { name: "Import" }).click();
  const text = page.getByRole("textbox", { name: "Documents to import" });
  await text.fill("hello");
  await page.getByRole("button", { name: "Import what is pasted" }).click();
  await page.getByRole("dialog").getByRole("alert").getByText("This is not JSON").waitFor();
  await text.fill('{"sluice": 1, "name": "Half"}');
  await look(page, "import");
  await page.getByRole("button", { name: "Import what is pasted" }).click();
  await page.getByRole("dialog").getByRole("alert").getByText(/nodes/).waitFor();
  await context.close();
});
