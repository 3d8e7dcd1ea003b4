// Drawing: notes and groups, copying between workflows, undoing, automatic layout; and a whole workflow without a mouse.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canvasNode, drawn, edges, openWorkflow, saved, seeAll } from "./canvas.ts";
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

type Place = { x: number; y: number };
type Stored = {
  nodes: { id: string; type: string; position: Place; params: Record<string, unknown> }[];
  edges: { from: string; to: string }[];
  canvas?: { notes?: { text: string }[]; groups?: { title: string; position: Place }[] };
};
const stored = async (id: string) =>
  (await at.api<{ document: Stored }>("GET", `/api/workflows/${id}`)).document;

async function save(page: Page) {
  await page.keyboard.press("Control+s");
  await saved(page);
}

const canvas = (page: Page) => page.getByLabel("Canvas", { exact: true });
const nodes = (page: Page) => page.locator(".react-flow__node-step");

/** Two nodes side by side, with places. */
const pair = (name: string) => ({
  name,
  nodes: [
    { id: "begin", type: "trigger.manual", label: "Begin", position: { x: 0, y: 0 } },
    { id: "work", type: "flow.noop", label: "Work", position: { x: 300, y: 80 } },
  ],
  edges: [{ from: "begin", to: "work" }],
});

/** Presses a key until there is nothing more to undo or redo. */
async function throughAll(page: Page, button: string, key: string) {
  await until(`no more to ${button}`, async () => {
    if (await page.getByRole("button", { name: button }).isDisabled()) return true;
    await page.keyboard.press(key);
    await drawn(page);
    return false;
  });
}

test("a note and a group are written, moved with what they hold, and undone", async () => {
  const id = await at.workflow(pair("Notes"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await canvas(page).focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("g");
  const title = page.locator(".group-title");
  await title.getByText("Group").dblclick();
  await page.getByRole("textbox", { name: "Name of the group" }).fill("Opening hours");
  await page.keyboard.press("Enter");
  await seeAll(page);
  const box = await title.boundingBox();
  if (!box) throw new Error("the group is not seen");
  await page.mouse.move(box.x + 30, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 60, box.y + 60, { steps: 5 });
  await page.mouse.move(box.x + 90, box.y + 100, { steps: 5 });
  await page.mouse.up();

  await canvas(page).focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  const note = page.getByRole("textbox", { name: "Note" });
  await note.click();
  await page.keyboard.insertText("Ask Ravi before changing this.");
  await look(page, "builder-notes");
  await save(page);
  const after = await stored(id);
  expect(after.canvas?.notes?.map(({ text }) => text)).toEqual(["Ask Ravi before changing this."]);
  expect(after.canvas?.groups?.map((group) => group.title)).toEqual(["Opening hours"]);
  // What lies in the group went along, each by the same way.
  const [begin, work] = after.nodes.map((node) => node.position);
  expect(begin?.x).toBeGreaterThan(0);
  expect(begin?.y).toBeGreaterThan(0);
  expect({ x: (work?.x ?? 0) - (begin?.x ?? 0), y: (work?.y ?? 0) - (begin?.y ?? 0) }).toEqual({
    x: 300,
    y: 80,
  });

  // Text, note, move, name, group: all of it can be undone, and done again.
  await canvas(page).focus();
  await throughAll(page, "Undo", "Control+z");
  await until("neither note nor group", async () => (await note.count()) + (await title.count()) === 0);
  await save(page);
  expect((await stored(id)).nodes[0]?.position).toEqual({ x: 0, y: 0 });
  await throughAll(page, "Redo", "Control+Shift+Z");
  await save(page);
  expect(await stored(id)).toEqual(after);
  expect(faults).toEqual([]);
  await context.close();
});

test("nodes are cut in one workflow and pasted into another one in another window", async () => {
  const from = await at.workflow(pair("From"));
  const to = await at.workflow(pair("To"));
  const { page, context, faults } = await openWorkflow(browser, at, from);
  const other = await context.newPage();
  await other.goto(`/workflows/${to}`);
  await canvasNode(other, "Work").waitFor();
  await page.bringToFront();
  await canvas(page).focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+x");
  await until("an empty canvas", async () => (await nodes(page).count()) === 0);
  await save(page);
  await other.bringToFront();
  await canvas(other).focus();
  await other.keyboard.press("Control+v");
  await until("four nodes", async () => (await nodes(other).count()) === 4);
  await save(other);
  const made = await stored(to);
  expect(made.nodes.map((node) => node.id)).toEqual(["begin", "work", "begin-2", "work-2"]);
  expect(made.edges).toContainEqual({ from: "begin-2", to: "work-2" });
  expect((await stored(from)).nodes).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
});

test("nodes that lie on a heap are laid out from left to right", async () => {
  const heap = refund("Heap");
  const id = await at.workflow({
    ...heap,
    nodes: heap.nodes.map((node) => ({ ...node, position: { x: 0, y: 0 } })),
  });
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Lay out" }).click();
  await save(page);
  const place = Object.fromEntries(
    (await stored(id)).nodes.map((node) => [node.id, node.position]),
  ) as Record<"start" | "ask" | "pay" | "sorry", Place>;
  expect(place.start.x + 208).toBeLessThan(place.ask.x);
  expect(place.ask.x + 208).toBeLessThan(place.pay.x);
  expect(place.pay.x).toBe(place.sorry.x);
  expect(Math.abs(place.pay.y - place.sorry.y)).toBeGreaterThan(52);
  await page.getByRole("button", { name: "Undo" }).click();
  await save(page);
  expect((await stored(id)).nodes.every(({ position }) => position.x === 0 && position.y === 0)).toBe(true);
  expect(faults).toEqual([]);
  await context.close();
});

test("a small window leaves room for the canvas", async () => {
  const id = await at.workflow(refund("Small"));
  const { page, context, faults } = await openWorkflow(browser, at, id, { width: 1024, height: 700 });
  const width = async () => (await page.getByLabel("Canvas", { exact: true }).boundingBox())?.width ?? 0;
  await canvasNode(page, "Pay").click();
  await page.getByRole("textbox", { name: "Label" }).waitFor();
  expect(await width()).toBeGreaterThan(400);
  // Whoever looks for a node gets the palette, in the place of the panel.
  await page.getByRole("button", { name: "Open the palette" }).click();
  await page.getByRole("combobox", { name: "Search for a node" }).waitFor();
  expect(await page.getByRole("textbox", { name: "Label" }).count()).toBe(0);
  expect(await width()).toBeGreaterThan(400);
  await look(page, "builder-small");
  expect(faults).toEqual([]);
  await context.close();
});

test("edges begin and end at the dots of their ports, though nothing is measured", async () => {
  const id = await at.workflow(refund("Dots"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await until("three edges", async () => (await edges(page).count()) === 3);
  const far = await page.evaluate(() => {
    const dot = (node: string, port: string, kind: string) => {
      const box = document
        .querySelector(`[data-id="${node}"] .react-flow__handle.${kind}[data-handleid="${port}"]`)
        ?.getBoundingClientRect();
      return box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : { x: NaN, y: NaN };
    };
    return [...document.querySelectorAll<SVGGElement>(".react-flow__edge")].flatMap((edge) => {
      const path = edge.querySelector<SVGPathElement>(".react-flow__edge-path");
      const matrix = path?.getScreenCTM();
      const [from, to] = (edge.dataset.id ?? "").split("→").map((end) => end.split("."));
      if (!path || !matrix || !from || !to) return [NaN];
      const away = (length: number, target: { x: number; y: number }) => {
        const point = path.getPointAtLength(length).matrixTransform(matrix);
        return Math.hypot(point.x - target.x, point.y - target.y);
      };
      return [
        away(0, dot(from[0] ?? "", from[1] ?? "", "source")),
        away(path.getTotalLength(), dot(to[0] ?? "", to[1] ?? "", "target")),
      ];
    });
  });
  expect(far).toHaveLength(6);
  // Edges touch the dot's rim, which is five pixels from its middle.
  for (const distance of far) expect(distance).toBeLessThan(6);
  expect(faults).toEqual([]);
  await context.close();
});
