// Decisions on a phone: in the studio, and by the signed link without an account.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { refund } from "./documents.ts";
import { openBrowser, PHONE, signIn, visit } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { look } from "./harness/look.ts";
import { until } from "./harness/process.ts";

type Approvals = { items: { run_id: string; link: string }[] };

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const isTooWide = () => document.documentElement.scrollWidth > innerWidth;

test("an approval appears by itself, is rejected with a note, and the run goes on", async () => {
  const { page, context, faults } = await visit(browser, at, PHONE);
  await signIn(page, at.owner);
  await page.getByRole("link", { name: "Approvals" }).click();
  await page.getByText("Nothing waits for a decision.").waitFor();
  const run = await at.run(await at.workflow(refund()));
  const card = page.getByRole("article", { name: "Refund of 420 for Asha?" });
  await card.getByText("Order 1042 came broken.").waitFor();
  expect(await page.evaluate(isTooWide)).toBe(false);
  await look(page, "approvals-phone");
  await card.getByLabel("Note").fill("She got a new one.");
  await card.getByRole("button", { name: "Reject" }).click();
  await page.getByText("Nothing waits for a decision.").waitFor();
  await at.runIs(run, "succeeded");
  const { nodes } = await at.api<{ nodes: { id: string; status: string }[] }>("GET", `/api/runs/${run}`);
  expect(nodes.find((node) => node.id === "sorry")?.status).toBe("succeeded");
  expect(faults).toEqual([]);
  await context.close();
});

test("the signed link works on a phone, once", async () => {
  const run = await at.run(await at.workflow(refund("Refund by link")));
  const link = await until("the link", async () => {
    const { items } = await at.api<Approvals>("GET", "/api/approvals");
    return items.find((one) => one.run_id === run)?.link;
  });
  const { page, context } = await visit(browser, at, PHONE);
  await page.goto(link);
  await page.getByRole("heading", { name: "Refund of 420 for Asha?" }).waitFor();
  expect(await page.evaluate(isTooWide)).toBe(false);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("Approved").first().waitFor();
  await at.runIs(run, "succeeded");
  await page.goto(link);
  await page.getByText("Already decided").first().waitFor();
  await context.close();
});
