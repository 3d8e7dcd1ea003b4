// The builder: from an empty canvas to a published workflow that answers customers, and two people at one draft.
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  canvasNode,
  closeDock,
  connect,
  dropNode,
  edges,
  input,
  label,
  openWorkflow,
  output,
  saved,
  seeAll,
  write,
} from "./canvas.ts";
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

async function sayAsCustomer(page: Page, text: string) {
  const field = page.getByRole("textbox", { name: "Message of the customer" });
  await field.fill(text);
  await field.press("Enter");
}

const openBuilder = (id: string) => openWorkflow(browser, at, id);

test("from an empty canvas to an answer, live, and back again", async () => {
  const id = await at.workflow({ name: "Greeting", nodes: [] });
  const { page, context, faults } = await openBuilder(id);
  await page.getByText("A workflow begins with a trigger").waitFor();

  // Built by dragging: inbound message -> if -> two answers.
  await dropNode(page, "message received", 150, 300);
  await label(page, "Customer writes");
  await closeDock(page);
  await dropNode(page, "If", 450, 300);
  await label(page, "Asks the price?");
  await page.getByRole("button", { name: "Condition: write an expression" }).click();
  await write(page, "Condition", '{{ json.message.text.contains("price") }}');
  await closeDock(page);
  await dropNode(page, "send whatsapp", 800, 150);
  await label(page, "Price");
  await write(page, "Text", "It costs 10.");
  await closeDock(page);
  await dropNode(page, "send whatsapp", 800, 480);
  await label(page, "Hello");
  await write(page, "Text", "Hello {{ contact.name }}!");
  await closeDock(page);

  await seeAll(page);
  const [begin, ask, price, hello] = ["Customer writes", "Asks the price?", "Price", "Hello"].map((name) =>
    canvasNode(page, name),
  ) as [Locator, Locator, Locator, Locator];
  await connect(page, output(begin, "main"), input(ask));
  await connect(page, output(ask, "true"), input(price));
  await connect(page, output(ask, "false"), input(hello));
  await until("three edges", async () => (await edges(page).count()) === 3);

  // An impossible edge cannot be made, and says why.
  await connect(page, output(price, "main"), input(ask));
  await page
    .getByText(/would close a cycle/)
    .first()
    .waitFor();
  expect(await edges(page).count()).toBe(3);
  await look(page, "builder");

  // Undo and redo.
  await page.getByRole("button", { name: "Undo" }).click();
  await until("an edge less", async () => (await edges(page).count()) === 2);
  await page.getByRole("button", { name: "Redo" }).click();
  await until("the edge again", async () => (await edges(page).count()) === 3);

  // The customer writes, and the way it takes turns green.
  await page.getByRole("button", { name: "Phone" }).click();
  await sayAsCustomer(page, "Good morning");
  await page.getByRole("log").getByText("Hello Asha Rao!").waitFor();
  await until(
    "green",
    async () => (await hello.locator("[data-status]").getAttribute("data-status")) === "succeeded",
  );
  expect(await price.locator("[data-status]").getAttribute("data-status")).toBe("skipped");
  await look(page, "builder-phone");

  // Broken: the error is told in the chat, and leads to the node.
  await hello.click();
  await write(page, "Text", "Hello {{ contact.name.nothing.at_all }}!");
  await page.getByRole("button", { name: "Phone" }).click();
  await sayAsCustomer(page, "Good evening");
  const link = page.getByRole("log").getByRole("button", { name: "Show “" });
  await link.last().click();
  await page.getByRole("tabpanel", { name: "Last run" }).getByRole("alert").waitFor();
  expect(await hello.locator("[data-status]").getAttribute("data-status")).toBe("failed");
  await look(page, "builder-failed");

  // Mended and published.
  await page.getByRole("tab", { name: "Parameters" }).click();
  await write(page, "Text", "Hello {{ contact.name }}!");
  await page.locator("[data-preview]").getByText("Hello Asha Rao!").waitFor();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 1 is active").waitFor();
  await page.getByRole("button", { name: "Done" }).click();

  // A signed webhook arrives through the sandbox; the run is seen live in another tab.
  const runs = await context.newPage();
  await runs.goto("/runs");
  await runs.getByRole("heading", { name: "Runs" }).waitFor();
  const before = await runs.getByRole("row").count();
  await at.customerWrites("what is the price?");
  await until("the run", async () => (await runs.getByRole("row").count()) > before);
  await runs.close();

  // Exported, deleted, imported: the same graph.
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Export…" }).click();
  await page.getByRole("button", { name: "Copy the document" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await saved(page);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Unpublish…" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Unpublish" }).click();
  await page.getByText("not published", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Workflows" }).last().click();
  await page.getByRole("button", { name: "What to do with Greeting" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("row", { name: /Greeting/ }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Import" }).first().click();
  await page.getByRole("textbox", { name: "Documents to import" }).click();
  await page.keyboard.insertText(text);
  await page.getByRole("button", { name: "Import what is pasted" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Greeting" }).click();
  await page.waitForURL((url) => /\/workflows\/wf_/.test(url.pathname) && !url.pathname.endsWith(id));
  const made = new URL(page.url()).pathname;
  await until("the same graph", async () => (await edges(page).count()) === 3);
  const again = await fetch(`${at.server}/api${made}/export`, {
    headers: { authorization: `Bearer ${at.key}` },
  });
  expect(await again.text()).toBe(text);
  expect(faults).toEqual([]);
  await context.close();
}, 180_000);

test("two people at one draft lose nothing", async () => {
  const id = await at.workflow({
    name: "Shared",
    nodes: [
      { id: "begin", type: "trigger.manual", label: "Begin", position: { x: 0, y: 0 } },
      { id: "work", type: "flow.noop", label: "Work", position: { x: 300, y: 0 } },
    ],
    edges: [{ from: "begin", to: "work" }],
  });
  const [asha, ravi] = [await openBuilder(id), await openBuilder(id)];
  // Begun before she saves: otherwise his page may have shown hers by then.
  await canvasNode(ravi.page, "Work").click();
  await label(ravi.page, "Ravi's work");
  await canvasNode(asha.page, "Begin").click();
  await label(asha.page, "Start");
  await canvasNode(asha.page, "Work").click();
  await label(asha.page, "Asha's work");
  await asha.page.keyboard.press("Control+s");
  await saved(asha.page);

  await dropNode(ravi.page, "Do nothing", 500, 500);
  await label(ravi.page, "Ravi's new one");
  await ravi.page.keyboard.press("Control+s");
  const dialog = ravi.page.getByRole("dialog");
  await dialog.getByText("Both changed the same: choose").waitFor();
  await look(ravi.page, "builder-conflict");
  await dialog.getByRole("radio").nth(1).check();
  await dialog.getByRole("button", { name: "Bring together and save" }).click();
  await saved(ravi.page);

  const { document } = await at.api<{ document: { nodes: { label: string }[] } }>(
    "GET",
    `/api/workflows/${id}`,
  );
  expect(document.nodes.map((node) => node.label)).toEqual(["Start", "Asha's work", "Ravi's new one"]);
  // What was not chosen can be had back.
  await ravi.page.getByRole("button", { name: "Undo" }).click();
  await ravi.page.getByRole("button", { name: "Undo" }).click();
  await canvasNode(ravi.page, "Ravi's work").waitFor();
  expect([...asha.faults, ...ravi.faults]).toEqual([]);
  await asha.context.close();
  await ravi.context.close();
});
