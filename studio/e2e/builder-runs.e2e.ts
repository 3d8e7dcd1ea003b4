// Test runs in the builder: effects only on request, a kept output, running from a node on, going on where it failed.
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { canvasNode, openWorkflow, seeAll } from "./canvas.ts";
import { bill } from "./documents.ts";
import { openBrowser } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";

let at: Installation;
let browser: Browser;
let service: Server;
/** How often the service was asked, and whether it is well. */
let asked = 0;
let isWell = true;

beforeAll(async () => {
  service = createServer((_, answer) => {
    asked += 1;
    answer.writeHead(isWell ? 200 : 500, { "content-type": "application/json" });
    answer.end(JSON.stringify({ amount: 21 }));
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  [at, browser] = await Promise.all([
    Installation.start({ SLUICE_EGRESS_ALLOW: "127.0.0.1" }),
    openBrowser(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
  service?.close();
});
beforeEach(() => {
  asked = 0;
  isWell = true;
});

/** A sum of money that is fetched by POST, which must not happen twice. */
const posted = (name: string, sum?: string) => {
  const document = bill(`http://127.0.0.1:${(service.address() as AddressInfo).port}/`, sum);
  const nodes = document.nodes.map((node) =>
    node.id === "fetch" ? { ...node, params: { ...node.params, method: "POST" } } : node,
  );
  return { ...document, name, nodes };
};

const run = (page: Page) => page.getByRole("button", { name: "Run", exact: true }).click();
const ended = (page: Page, status: string) =>
  page.getByRole("link", { name: `The run: ${status}` }).waitFor();
const howToRun = async (page: Page, item: RegExp) => {
  await page.getByRole("button", { name: "How to run" }).click();
  await page.getByRole("menuitem", { name: item }).click();
};

async function switchEffectsOn(page: Page) {
  await howToRun(page, /Switch real effects on/);
  await page.getByRole("alertdialog").getByRole("button", { name: "Switch them on" }).click();
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
}

async function openLastRun(page: Page, node: string) {
  await seeAll(page);
  await canvasNode(page, node).click();
  await page.getByRole("tab", { name: "Last run" }).click();
}

test("nothing happens outside until the person switches it on, knowing what that means", async () => {
  const id = await at.workflow(posted("Careful", "{{ 40 + 2 }}"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await run(page);
  await ended(page, "succeeded");
  expect(asked).toBe(0);

  // Asked, and thought better of it.
  await howToRun(page, /Switch real effects on/);
  await page.getByRole("alertdialog").getByText("to real people").waitFor();
  await look(page, "builder-effects");
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  await run(page);
  await ended(page, "succeeded");
  expect(asked).toBe(0);

  await switchEffectsOn(page);
  await page.getByText("Real effects", { exact: true }).waitFor();
  await run(page);
  await expect.poll(() => asked).toBe(1);
  await ended(page, "succeeded");
  await howToRun(page, /Back to runs without effects/);
  await page.getByText("Real effects", { exact: true }).waitFor({ state: "detached" });
  // The phone has the same switch, with the same question.
  await page.getByRole("button", { name: "Phone" }).click();
  await page.getByRole("checkbox", { name: "Real effects" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
  expect(await page.getByRole("checkbox", { name: "Real effects" }).isChecked()).toBe(false);
  expect(faults).toEqual([]);
  await context.close();
});

test("a failed run goes on where it failed, an output is kept, and a run begins at a node", async () => {
  isWell = false;
  const id = await at.workflow(posted("Mended"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await switchEffectsOn(page);
  await run(page);
  await ended(page, "failed");
  expect(asked).toBe(1);
  isWell = true;
  await howToRun(page, /Retry from the failed node/);
  await ended(page, "succeeded");
  expect(asked).toBe(2);

  // The answer is pinned: the node is marked, and the next run does not ask for it.
  await openLastRun(page, "Fetch the amount");
  await page.getByRole("button", { name: "Pin output" }).click();
  const mark = canvasNode(page, "Fetch the amount").getByLabel("Its output is pinned");
  await mark.waitFor();
  await look(page, "builder-pinned");
  await run(page);
  await ended(page, "succeeded");
  await openLastRun(page, "Sum");
  const total = page.getByRole("region", { name: "Output main" }).getByText("42");
  await total.waitFor();
  expect(asked).toBe(2);

  // Without the pin, a run from the sum on takes what came before from the last run.
  await openLastRun(page, "Fetch the amount");
  await page.getByRole("button", { name: "Unpin output" }).click();
  await mark.waitFor({ state: "detached" });
  await openLastRun(page, "Sum");
  const before = await page.getByRole("link", { name: "The run:" }).getAttribute("href");
  await page.getByRole("button", { name: "Run from here" }).click();
  await page.locator(`a[aria-label="The run: succeeded"]:not([href="${before}"])`).waitFor();
  await total.waitFor();
  expect(asked).toBe(2);
  expect(faults).toEqual([]);
  await context.close();
});
