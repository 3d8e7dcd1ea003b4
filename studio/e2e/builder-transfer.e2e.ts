// Workflows in and out of the builder: its own import with everything that can be wrong, and the file that it saves.
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canvasNode, openWorkflow, saved, seeAll } from "./canvas.ts";
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

const nodes = (page: Page) => page.locator(".react-flow__node-step");
const exported = async (id: string) => {
  const answer = await fetch(`${at.server}/api/workflows/${id}/export`, {
    headers: { authorization: `Bearer ${at.key}` },
  });
  return answer.text();
};

async function openImport(page: Page) {
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Import…" }).click();
  return page.getByRole("dialog", { name: "Import into this draft" });
}

const file = (name: string, text: string | Buffer) => ({
  name,
  mimeType: "application/json",
  buffer: Buffer.from(text),
});

test("what is no workflow is refused in words, and the draft stays", async () => {
  const id = await at.workflow(refund("Stays"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  const dialog = await openImport(page);
  const replace = dialog.getByRole("button", { name: "Replace the draft" });
  const refusal = (words: RegExp) => dialog.getByRole("alert").getByText(words).waitFor();
  await dialog.getByLabel("From a file").setInputFiles(file("photo.png", Buffer.from([137, 80, 78, 71])));
  await replace.click();
  await refusal(/This is not JSON/);
  const one = { sluice: 1, ...refund("One") };
  const wrong: [string, RegExp][] = [
    ['{"hello": "world"}', /no list of nodes/],
    [JSON.stringify([one, one]), /2 workflows/],
    ['{"sluice": 1, "name": "Half", "nodes": [{"id": "a"}]}', /`type` is missing/],
  ];
  for (const [text, words] of wrong) {
    await dialog.getByLabel("From a file").setInputFiles(file("wrong.json", text));
    await replace.click();
    await refusal(words);
  }
  await look(page, "builder-import");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(await nodes(page).count()).toBe(4);
  expect(faults).toEqual([]);
  await context.close();
});

test("a document with problems comes in with them, and goes again by undoing", async () => {
  const id = await at.workflow(refund("Keeps its name"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  const dialog = await openImport(page);
  const strange = {
    sluice: 1,
    name: "Strange",
    nodes: [
      { id: "begin", type: "trigger.manual", params: {} },
      { id: "odd", type: "nobody.knows", label: "From elsewhere", params: {} },
    ],
    edges: [{ from: "begin", to: "odd" }],
  };
  await dialog.getByRole("textbox", { name: "Document to import" }).click();
  await page.keyboard.insertText(JSON.stringify(strange));
  await dialog.getByRole("button", { name: "Replace the draft" }).click();
  await dialog.waitFor({ state: "detached" });
  const problems = page.getByRole("region", { name: "Problems" });
  await problems
    .getByText(/nobody\.knows/)
    .first()
    .waitFor();
  await canvasNode(page, "From elsewhere")
    .getByLabel(/errors/)
    .waitFor();
  await page.getByRole("heading", { name: "Keeps its name" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await seeAll(page);
  await until("the draft as it was", async () => (await nodes(page).count()) === 4);

  // The nodes alone, beside what is there already.
  await openImport(page);
  await dialog.getByRole("textbox", { name: "Document to import" }).click();
  await page.keyboard.insertText(JSON.stringify({ sluice: 1, ...refund("Again") }));
  await dialog.getByRole("button", { name: "Add its nodes" }).click();
  await dialog.waitFor({ state: "detached" });
  await seeAll(page);
  await until("twice as many", async () => (await nodes(page).count()) === 8);
  expect(faults).toEqual([]);
  await context.close();
});

test("what is exported by the button and imported from its file is the same, with long numbers", async () => {
  const order = "9007199254740993";
  const text = JSON.stringify({
    sluice: 1,
    name: "Long",
    nodes: [
      { id: "begin", type: "trigger.manual", params: {}, position: { x: 0, y: 0 } },
      { id: "fields", type: "data.set", label: "Fields", params: { fields: { order: 0 } } },
    ],
    edges: [{ from: "begin", to: "fields" }],
  }).replace('"order":0', `"order":${order}`);
  const { id } = (await (
    await fetch(`${at.server}/api/workflows`, {
      method: "POST",
      headers: { authorization: `Bearer ${at.key}`, "content-type": "application/json" },
      body: text,
    })
  ).json()) as { id: string };
  const { page, context, faults } = await openWorkflow(browser, at, id);
  // A change elsewhere saves the whole draft.
  await canvasNode(page, "Fields").click();
  await page.getByText(order).waitFor();
  await page.getByRole("textbox", { name: "Label" }).fill("Order");
  await page.keyboard.press("Control+s");
  await saved(page);
  expect(await exported(id)).toContain(order);

  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Export…" }).click();
  const [kept] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as file" }).click(),
  ]);
  expect(kept.suggestedFilename()).toBe("long.json");
  const before = await readFile(await kept.path(), "utf8");
  expect(before).toBe(await exported(id));
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

  const empty = await at.workflow({ name: "Empty", nodes: [] });
  await page.goto(`/workflows/${empty}`);
  await page.getByText("A workflow begins with a trigger").waitFor();
  const dialog = await openImport(page);
  await dialog.getByLabel("From a file").setInputFiles(file("long.json", before));
  await dialog.getByRole("button", { name: "Replace the draft" }).click();
  await canvasNode(page, "Order").waitFor();
  await page.keyboard.press("Control+s");
  await saved(page);
  expect(await exported(empty)).toBe(before.replace('"name": "Long"', '"name": "Empty"'));
  expect(faults).toEqual([]);
  await context.close();
});
