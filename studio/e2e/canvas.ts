// What a person does on the canvas: opening a workflow, dropping nodes, drawing edges, writing into fields. Must not know
// what is built.
import type { Browser, Locator, Page } from "playwright-core";

import { visit, withKey } from "./harness/browser.ts";
import type { Installation } from "./harness/installation.ts";

/** Room for palette, canvas and dock side by side. */
export const WIDER = { width: 1440, height: 900 };

/** Opens a workflow in the builder, in a browser of its own. */
export async function openWorkflow(browser: Browser, at: Installation, id: string, viewport = WIDER) {
  const visitor = await visit(browser, at, viewport);
  await withKey(visitor, at.key);
  await visitor.page.goto(`/workflows/${id}`);
  await visitor.page.getByRole("button", { name: "Run", exact: true }).waitFor();
  return visitor;
}

export const canvasNode = (page: Page, name: string) =>
  page.locator(".react-flow__node-step").filter({ has: page.getByText(name, { exact: true }) });

/** Drags a type from the palette to a place of the canvas. */
export async function dropNode(page: Page, search: string, x: number, y: number) {
  await page.getByRole("combobox", { name: "Search for a node" }).fill(search);
  const canvas = page.getByLabel("Canvas", { exact: true });
  await page.getByRole("option").first().dragTo(canvas, { targetPosition: { x, y } });
  await page.getByRole("textbox", { name: "Label" }).waitFor();
}

/** Draws an edge with the pointer. */
export async function connect(page: Page, from: Locator, to: Locator) {
  const middle = async (handle: Locator) => {
    const box = await handle.boundingBox();
    if (!box) throw new Error("the port is not there");
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const [begin, end] = [await middle(from), await middle(to)];
  await page.mouse.move(begin.x, begin.y);
  await page.mouse.down();
  await page.mouse.move((begin.x + end.x) / 2, (begin.y + end.y) / 2, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 4 });
  await page.mouse.up();
}

export const output = (node: Locator, port: string) =>
  node.locator(`.react-flow__handle.source[data-handleid="${port}"]`);
export const input = (node: Locator, port = "main") =>
  node.locator(`.react-flow__handle.target[data-handleid="${port}"]`);
export const edges = (page: Page) => page.locator(".react-flow__edge");

export async function label(page: Page, text: string) {
  await page.getByRole("textbox", { name: "Label" }).fill(text);
}

/** Nodes that are not seen are not drawn: the whole workflow is shown. */
export async function seeAll(page: Page) {
  await page.getByLabel("Canvas", { exact: true }).focus();
  await page.keyboard.press("f");
  await drawn(page);
}

export const closeDock = (page: Page) =>
  page.locator("[data-dock]").getByRole("button", { name: "Close" }).click();

/** Writes into a field that takes expressions. */
export async function write(page: Page, field: string, text: string) {
  const editor = page.locator("[data-dock]").getByRole("textbox", { name: field, exact: true });
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Escape");
}

export const saved = (page: Page) => page.locator('[data-saving="saved"]').waitFor();

/** Waits until what happened is on the screen. */
export const drawn = (page: Page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
