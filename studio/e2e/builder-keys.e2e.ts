// The builder without a mouse: every command has a key, and a whole workflow is built by keys alone.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canvasNode, edges, openWorkflow, saved, seeAll } from "./canvas.ts";
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

test("everything by keys, and nodes carried to another workflow", async () => {
  const id = await at.workflow({ name: "Keys", nodes: [] });
  const other = await at.workflow({ name: "Other", nodes: [] });
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await page.getByLabel("Canvas", { exact: true }).focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await look(page, "builder-keys");
  await page.keyboard.press("Escape");

  await page.getByLabel("Canvas", { exact: true }).focus();
  for (const words of ["manual", "set fields", "do nothing"]) {
    await page.keyboard.press("a");
    await page.getByRole("combobox", { name: "Search for a node" }).fill(words);
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "Label" }).waitFor();
    await page.keyboard.press("Escape");
  }
  // Each was put behind the one before.
  await seeAll(page);
  await until("two edges", async () => (await edges(page).count()) === 2);

  // Along the edges, then the node is moved, deleted and brought back.
  await canvasNode(page, "Manual").first().focus();
  await page.keyboard.press("Alt+ArrowRight");
  await until("the next node", async () =>
    page.evaluate(() => document.activeElement?.getAttribute("data-id") === "set-fields"),
  );
  const place = () => page.locator('[data-id="set-fields"]').first().getAttribute("style");
  const before = await place();
  await page.keyboard.press("ArrowDown");
  await until("it moves", async () => (await place()) !== before);
  await page.keyboard.press("Delete");
  await until("no edges", async () => (await edges(page).count()) === 0);
  await page.keyboard.press("Control+z");
  await until("two edges", async () => (await edges(page).count()) === 2);

  // Connecting by keys: what cannot be is not offered.
  await canvasNode(page, "Manual").first().focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog");
  expect(await dialog.getByRole("option", { name: /connected already/ }).isDisabled()).toBe(true);
  await dialog.getByRole("button", { name: "Connect" }).click();
  await until("three edges", async () => (await edges(page).count()) === 3);

  await page.getByLabel("Canvas", { exact: true }).focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+c");
  await page.goto(`/workflows/${other}`);
  await page.getByText("A workflow begins with a trigger").waitFor();
  await page.getByLabel("Canvas", { exact: true }).focus();
  await page.keyboard.press("Control+v");
  await until("the pasted nodes", async () => (await page.locator(".react-flow__node-step").count()) === 3);
  expect(await edges(page).count()).toBe(3);
  expect(faults).toEqual([]);
  await context.close();
});

test("a workflow is built, filled in, run and published without a mouse", async () => {
  const id = await at.workflow({ name: "By keys", nodes: [] });
  const { page, context, faults } = await openWorkflow(browser, at, id);
  const { keyboard } = page;
  const add = async (words: string, label: string) => {
    await keyboard.press("a");
    await page.locator("#palette-search:focus").waitFor();
    await keyboard.type(words);
    await keyboard.press("Enter");
    await page.getByRole("textbox", { name: "Label" }).waitFor();
    await keyboard.press("Escape");
    await page.locator(".react-flow__node.selected:focus").waitFor();
    await keyboard.press("Enter");
    await page.locator("[data-dock] input:focus").waitFor();
    await keyboard.press("Control+a");
    await keyboard.type(label);
    await keyboard.press("Escape");
    await page.locator(".react-flow__node.selected:focus").waitFor();
  };
  await add("manual", "Begin");
  await add("if", "Is it so?");
  // Into the form: the condition is written where Tab leads.
  await keyboard.press("Enter");
  await page.locator("[data-dock] input:focus").waitFor();
  await page.getByRole("button", { name: "Condition: write an expression" }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  for (let step = 0; step < 25 && (await focused()) !== "Condition: write an expression"; step += 1)
    await keyboard.press("Tab");
  await keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Condition", exact: true }).waitFor();
  await keyboard.press("Tab");
  expect(await focused()).toBe("Condition");
  await keyboard.press("Control+a");
  await keyboard.insertText("{{ 1 < 2 }}");
  await keyboard.press("Escape");
  await keyboard.press("Escape");
  await page.locator(".react-flow__node.selected:focus").waitFor();
  await add("do nothing", "Yes");
  // Back along the edge, and the other way.
  await keyboard.press("Alt+ArrowLeft");
  await page.locator('.react-flow__node.selected:focus[aria-label="Is it so?"]').waitFor();
  await add("do nothing", "No");
  await until("three edges", async () => (await edges(page).count()) === 3);
  await keyboard.press("l");
  await keyboard.press("Control+Enter");
  await page.getByRole("link", { name: "The run: succeeded" }).waitFor();
  await page.keyboard.press("Control+s");
  await saved(page);
  const { document: built } = await at.api<{ document: { edges: unknown } }>("GET", `/api/workflows/${id}`);
  expect(built.edges).toEqual([
    { from: "manual", to: "if" },
    { from: "if.true", to: "do-nothing" },
    { from: "if.false", to: "do-nothing-2" },
  ]);
  await page.getByRole("button", { name: "Publish" }).focus();
  await keyboard.press("Enter");
  await page.getByRole("dialog").getByText("Nothing is wrong with the draft.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).focus();
  await keyboard.press("Enter");
  await page.getByText("Version 1 is active").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
