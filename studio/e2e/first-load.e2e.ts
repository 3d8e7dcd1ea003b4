// How much a browser loads, compressed, until the builder stands: what the pages ask for is weighed.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { refund } from "./documents.ts";
import { openBrowser, visit, withKey } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { DIST } from "./harness/paths.ts";

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

test("the builder's first load is under 500 KB", async () => {
  const id = await at.workflow(refund());
  const guest = await visit(browser, at);
  await withKey(guest, at.key);
  const assets = new Set<string>();
  guest.page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/assets/")) assets.add(basename(pathname));
  });
  await guest.page.goto(`/workflows/${id}`);
  await guest.page.locator(".react-flow__node").first().waitFor();
  await guest.page.waitForLoadState("networkidle");
  const weights = await Promise.all(
    [...assets].map(async (name) => gzipSync(await readFile(join(DIST, "assets", name))).length),
  );
  const sum = weights.reduce((all, one) => all + one, 0);
  console.log(`first load of the builder: ${assets.size} files, ${Math.round(sum / 1000)} KB compressed`);
  expect(sum).toBeLessThan(500_000);
  await guest.context.close();
});
