// What is published: compared with the draft, restored, taken back.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canvasNode, closeDock, label, openWorkflow, saved } from "./canvas.ts";
import { refund } from "./documents.ts";
import { openBrowser } from "./harness/browser.ts";
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

type Stored = { document: { nodes: { label?: string }[] }; published_version: number | null };
const labels = async (id: string) =>
  (await at.api<Stored>("GET", `/api/workflows/${id}`)).document.nodes.map((node) => node.label);

test("two versions are compared, one is restored, and undone", async () => {
  const id = await at.workflow(refund("Versions"), true);
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await canvasNode(page, "Pay").click();
  await label(page, "Pay at once");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 2 is active").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await canvasNode(page, "Say sorry").click();
  await label(page, "Say very sorry");
  await closeDock(page);

  await page.getByRole("button", { name: "Versions" }).click();
  const versions = page.getByRole("region", { name: "Versions" });
  const first = versions.getByRole("listitem").filter({ hasText: "Version 1" });
  await first.getByRole("button", { name: "Compare" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Pay at once").first().waitFor();
  await dialog.getByText("Say very sorry").first().waitFor();
  await look(page, "builder-compare");
  // Between the two versions only the first change lies.
  await dialog.getByLabel("Compared with").selectOption("2");
  await dialog.getByText("Say very sorry").waitFor({ state: "detached" });
  await dialog.getByText("Pay at once").first().waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();

  await first.getByRole("button", { name: "Restore" }).click();
  await dialog.getByText("Pay at once").first().waitFor();
  await dialog.getByRole("button", { name: "Restore" }).click();
  await canvasNode(page, "Pay").waitFor();
  await canvasNode(page, "Say sorry").waitFor();
  await until("the restored draft", async () => (await labels(id)).includes("Pay"));
  await page.getByRole("button", { name: "Undo" }).click();
  await canvasNode(page, "Pay at once").waitFor();
  await canvasNode(page, "Say very sorry").waitFor();
  await page.keyboard.press("Control+s");
  await saved(page);
  expect(await labels(id)).toContain("Say very sorry");
  expect(faults).toEqual([]);
  await context.close();
});

test("a workflow is unpublished after a question", async () => {
  const id = await at.workflow(refund("Taken back"), true);
  const { page, context, faults } = await openWorkflow(browser, at, id);
  const version = async () => (await at.api<Stored>("GET", `/api/workflows/${id}`)).published_version;
  await page.getByText("version 1", { exact: true }).waitFor();
  const ask = async () => {
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Unpublish…" }).click();
  };
  await ask();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  expect(await version()).toBe(1);
  await ask();
  await page.getByRole("alertdialog").getByRole("button", { name: "Unpublish" }).click();
  await page.getByText("not published", { exact: true }).waitFor();
  expect(await version()).toBe(null);
  // Its menu offers only what can be.
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Export…" }).waitFor();
  expect(await page.getByRole("menuitem", { name: "Unpublish…" }).count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});
