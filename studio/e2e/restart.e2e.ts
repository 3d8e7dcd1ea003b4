// The server goes away without notice while the page is open, and comes back.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canvasNode, label, openWorkflow, saved } from "./canvas.ts";
import { echo, refund } from "./documents.ts";
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

test("the list says that the server is away, recovers by itself, and is live again", async () => {
  await at.workflow(echo, true);
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.getByRole("link", { name: "Runs" }).first().click();
  await at.customerWrites("before");
  const rows = page.getByRole("row", { name: /Echo/ });
  await rows.getByText("succeeded").waitFor();
  await at.killServer();
  const note = page.getByText("The server does not answer.");
  await note.waitFor();
  await at.startServer();
  await note.waitFor({ state: "detached" });
  await page.getByText("live", { exact: true }).waitFor();
  await at.customerWrites("after");
  await rows.nth(1).getByText("succeeded").waitFor();
  expect(await rows.count()).toBe(2);
  expect(faults).toEqual([]);
  await context.close();
});

test("a run that is followed goes on where it was", async () => {
  const run = await at.run(await at.workflow(refund()));
  await at.runIs(run, "waiting");
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await page.goto(`/runs/${run}`);
  await page.getByText("live", { exact: true }).waitFor();
  await at.killServer();
  await page.getByText("The server does not answer.").waitFor();
  await at.startServer();
  await page.getByText("live", { exact: true }).waitFor();
  const { items } = await at.api<{ items: { id: string }[] }>("GET", "/api/approvals");
  await at.api("POST", `/api/approvals/${items[0]?.id}`, { decision: "approve" });
  await page
    .getByRole("heading", { name: /succeeded/ })
    .first()
    .waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("what is drawn while the server is away is saved when it is back", async () => {
  const id = await at.workflow(refund("Drawn meanwhile"));
  const { page, context, faults } = await openWorkflow(browser, at, id);
  const stored = async () => {
    const { document } = await at.api<{ document: { nodes: { label?: string }[] } }>(
      "GET",
      `/api/workflows/${id}`,
    );
    return document.nodes.map((node) => node.label);
  };
  await canvasNode(page, "Pay").click();
  await at.killServer();
  await label(page, "Pay at once");
  await page.keyboard.press("Control+s");
  await page.getByText("Kept here until the server answers again.").waitFor();
  await look(page, "builder-away");
  await label(page, "Pay in a minute");
  await at.startServer();
  await saved(page);
  expect(await stored()).toContain("Pay in a minute");

  // Left in the middle of a change: it is saved on the way out.
  await label(page, "Pay tomorrow");
  await page.reload();
  await canvasNode(page, "Pay tomorrow").waitFor();
  expect(await stored()).toContain("Pay tomorrow");
  expect(faults).toEqual([]);
  await context.close();
});
