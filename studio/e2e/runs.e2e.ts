// Runs: the list as it happens, and one run node by node.
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { bill, echo, refund } from "./documents.ts";
import { openBrowser, PHONE, visit, withKey } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";
import { until } from "./harness/process.ts";

let at: Installation;
let browser: Browser;
let service: Server;
/** What the service answers: its health changes during the tests. */
let isWell = false;

beforeAll(async () => {
  service = createServer((_, answer) => {
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

const serviceAddress = () => `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;

test("a customer writes, and the run appears in the list by itself", async () => {
  const id = await at.workflow(echo, true);
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  const { page, faults } = guest;
  await page.goto("/runs");
  await page.getByText("Nothing has run yet").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await at.customerWrites("hello");
  const row = page.getByRole("row", { name: /Echo/ });
  await row.getByText("succeeded").waitFor();
  await at.run(await at.workflow(refund()));
  await page
    .getByRole("row", { name: /Refund/ })
    .getByText("waiting")
    .waitFor();
  await look(page, "runs");
  await page.getByLabel("Status").selectOption("waiting");
  await row.waitFor({ state: "detached" });
  expect(new URL(page.url()).search).toBe("?status=waiting");
  await page.goto(`/runs?workflow=${id}`);
  await row.waitFor();
  expect(await page.getByRole("row", { name: /Refund/ }).count()).toBe(0);
  expect(faults).toEqual([]);
  await guest.context.close();
});

test("the list of runs fits a phone", async () => {
  const guest = await visit(browser, at, PHONE);
  await withKey(guest, at.key);
  const { page } = guest;
  await page.goto("/runs");
  await page.getByRole("row", { name: /Echo/ }).waitFor();
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(isTooWide).toBe(false);
  await look(page, "runs-phone");
  await guest.context.close();
});

test("a run is followed while it waits, and replayed node by node", async () => {
  const run = await at.run(await at.workflow(refund("Refund to follow")));
  await at.runIs(run, "waiting");
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  const { page, faults } = guest;
  await page.goto(`/runs/${run}`);
  await page.getByText("Waits for a decision.").first().waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  const approvals = await at.api<{ items: { id: string; run_id: string }[] }>("GET", "/api/approvals");
  const approval = approvals.items.find((one) => one.run_id === run);
  await at.api("POST", `/api/approvals/${approval?.id}`, { decision: "approve" });
  const steps = page.getByRole("region", { name: "Steps" });
  await steps.getByRole("button", { name: /Pay/ }).waitFor();
  await page
    .getByRole("heading", { name: /succeeded/ })
    .first()
    .waitFor();
  await steps.getByRole("button", { name: /Pay/ }).click();
  const detail = page.getByRole("region", { name: "Node Pay" });
  await detail.getByText("paid").waitFor();
  await look(page, "run");
  await steps.getByRole("button", { name: "One step back" }).click();
  await steps.getByText("Step 2 of 3").waitFor();
  await page.getByRole("region", { name: "Node Ask the boss" }).waitFor();
  await steps.getByRole("button", { name: "One step on" }).click();
  await detail.getByRole("tab", { name: "Input" }).click();
  await steps.getByRole("button", { name: "Whole run" }).click();
  await steps.getByText("3 steps").waitFor();
  expect(faults).toEqual([]);
  await guest.context.close();
});

test("a failed run says why, goes on from where it failed, and is replayed on the draft", async () => {
  const workflow = await at.workflow(bill(serviceAddress()), true);
  const run = await at.run(workflow);
  await at.runIs(run, "failed");
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  const { page, faults } = guest;
  await page.goto(`/runs/${run}`);
  await page.getByRole("alert").getByText(/500/).first().waitFor();
  await page.getByRole("button", { name: /Fetch the amount/ }).click();
  await page.getByRole("tab", { name: "Error" }).click();
  await look(page, "run-failed");
  isWell = true;
  await page.getByRole("button", { name: "Retry from where it failed" }).click();
  await page
    .getByRole("heading", { name: /succeeded/ })
    .first()
    .waitFor();
  const draft = await at.api<{ revision: number }>("GET", `/api/workflows/${workflow}`);
  const document = { sluice: 1, ...bill(serviceAddress(), "{{ json.body.amount * 3 }}") };
  await at.api("PUT", `/api/workflows/${workflow}`, { revision: draft.revision, document });
  await page.getByRole("button", { name: "Replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay this run" });
  await dialog.getByRole("button", { name: "Replay" }).click();
  const difference = dialog.getByRole("article", { name: "Difference at sum" });
  await difference.getByText("42").waitFor();
  await difference.getByText("63").waitFor();
  await look(page, "run-replay");
  await dialog.getByRole("button", { name: "Close" }).first().click();
  expect(faults).toEqual([]);
  await guest.context.close();
});

test("a run that waits is cancelled", async () => {
  const run = await at.run(await at.workflow(refund("Refund to cancel")));
  await at.runIs(run, "waiting");
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  await guest.page.goto(`/runs/${run}`);
  await guest.page.getByRole("button", { name: "Cancel" }).click();
  await guest.page.getByRole("button", { name: "Cancel the run" }).click();
  await guest.page.getByRole("heading", { name: /cancelled/ }).waitFor();
  expect(guest.faults).toEqual([]);
  await guest.context.close();
});

test("an effect of which nobody knows is settled by a person, and a run is acknowledged", async () => {
  // The service takes the request and says nothing; meanwhile the server is killed.
  let takes = 0;
  const silent = createServer(() => {
    takes += 1;
  }).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const document = bill(`http://127.0.0.1:${port}/`, "{{ 1 }}");
  const nodes = document.nodes.map((node) =>
    node.id === "fetch"
      ? { ...node, label: "Pay the bill", params: { ...node.params, method: "POST" } }
      : node,
  );
  const workflow = await at.workflow({ ...document, name: "Unknown", nodes }, true);
  // Beside the request a clock ends the second run while its question is open.
  const clock = [
    { id: "clock", type: "flow.wait", params: { for: "8s" } },
    { id: "end", type: "flow.stop", label: "Give up", params: { error: "It took too long." } },
  ];
  const edges = [...document.edges, { from: "start", to: "clock" }, { from: "clock", to: "end" }];
  const timed = await at.workflow({ name: "Unknown for ever", nodes: [...nodes, ...clock], edges }, true);
  const [settled, ended] = [await at.run(workflow), await at.run(timed)];
  await until("both requests", async () => takes === 2);
  await at.killServer();
  await at.startServer();
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  const { page, faults } = guest;

  // The one is settled with a note, and goes on.
  await page.goto(`/runs/${settled}`);
  await page.getByText("Nobody knows whether an effect took place").first().waitFor();
  await page.getByRole("button", { name: /Pay the bill/ }).click();
  await page.getByText("Look there, then say it here.").waitFor();
  await look(page, "run-unknown");
  await page.getByLabel("What became of it").selectOption("done");
  await page.getByLabel("Note").fill("It is in the bank's list.");
  await page.getByRole("button", { name: "Settle it" }).click();
  await page
    .getByRole("heading", { name: /succeeded/ })
    .first()
    .waitFor();
  await page.getByRole("button", { name: /Pay the bill/ }).click();
  await page.getByText("It is in the bank's list.").waitFor();

  // The other one ends with the question open: it is looked through and put away.
  await page.goto(`/runs/${ended}`);
  await page
    .getByRole("heading", { name: /failed/ })
    .first()
    .waitFor();
  const acknowledge = page.getByRole("button", { name: "Acknowledge" });
  await acknowledge.click();
  await acknowledge.waitFor({ state: "detached" });
  expect((await at.api<{ attention: unknown }>("GET", `/api/runs/${ended}`)).attention).toBeFalsy();
  expect(faults).toEqual([]);
  silent.closeAllConnections();
  silent.close();
  await guest.context.close();
});
