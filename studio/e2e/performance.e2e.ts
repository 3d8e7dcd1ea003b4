// Figures, not verdicts: how fast a workflow of 500 nodes opens, pans and drags, how a run of a thousand events is borne,
// and how much the builder loads at first. What is measured is printed; machines differ, so nothing is refused.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, visit, withKey } from "./harness/browser.ts";
import { Installation } from "./harness/installation.ts";
import { DIST } from "./harness/paths.ts";
import { until } from "./harness/process.ts";
import { largeWorkflow } from "./large.ts";

let at: Installation;
let browser: Browser;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const WIDER = { width: 1440, height: 900 };

/** Seconds that the page's main thread has spent so far, by kind of work. */
async function spent(session: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await session.send("Performance.getMetrics");
  const wanted = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
  return Object.fromEntries(
    metrics.filter(({ name }) => wanted.includes(name)).map(({ name, value }) => [name, value]),
  );
}

/** Counts frames while something is done, how long the longest took, and what the main thread worked for one. */
async function frames(page: Page, action: () => Promise<void>) {
  const session = await page.context().newCDPSession(page);
  // Time on the processor, not on the clock: it says the same on a machine that does other things besides.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await spent(session);
  await page.evaluate(() => {
    const told = window as unknown as { frames: number[]; counting: boolean };
    told.frames = [];
    told.counting = true;
    const count = (at: number) => {
      told.frames.push(at);
      if (told.counting) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  await action();
  const times = await page.evaluate(() => {
    const told = window as unknown as { frames: number[]; counting: boolean };
    told.counting = false;
    // The frame that is asked for already must not count in the next measurement too.
    return new Promise<number[]>((done) => requestAnimationFrame(() => done(told.frames)));
  });
  const gaps = times.slice(1).map((time, place) => time - (times[place] ?? 0));
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const after = await spent(session);
  await session.detach();
  const perFrame = (name: string) => {
    const seconds = (after[name] ?? 0) - (before[name] ?? 0);
    return Math.round((seconds * 10_000) / gaps.length) / 10;
  };
  return {
    perSecond: Math.round((gaps.length * 1_000) / span),
    longest: Math.round(Math.max(...gaps)),
    workPerFrame: perFrame("TaskDuration"),
    script: perFrame("ScriptDuration"),
    style: perFrame("RecalcStyleDuration"),
    layout: perFrame("LayoutDuration"),
  };
}

const report = (what: string, figures: unknown) =>
  console.log(`[measured] ${what}: ${JSON.stringify(figures)}`);

test("500 nodes open, pan, drag and light up", async () => {
  const id = await at.workflow(largeWorkflow("Large", 500));
  const visitor = await visit(browser, at, WIDER);
  const { page, context, faults } = visitor;
  await withKey(visitor, at.key);

  const begin = Date.now();
  await page.goto(`/workflows/${id}`);
  await page.locator(".react-flow__node-step").first().waitFor();
  report("opens, milliseconds (cold, nothing cached)", Date.now() - begin);
  await page.waitForLoadState("networkidle");
  report("first load, kilobytes of program and style, compressed", await loaded(page));
  const again = Date.now();
  await page.reload();
  await page.locator(".react-flow__node-step").first().waitFor();
  report("opens again, milliseconds", Date.now() - again);

  // All 500 in sight: the hardest case for the canvas.
  await page.waitForTimeout(1_000);
  report("nodes drawn", await page.locator(".react-flow__node-step").count());
  // What this machine can do at this moment, whatever else it does.
  report("nothing moves", await frames(page, () => page.waitForTimeout(1_000)));
  report("pan, all nodes in sight", await frames(page, () => wheel(page)));
  report("drag a node, all nodes in sight", await frames(page, () => drag(page)));
  for (let step = 0; step < 6; step += 1) await page.getByRole("button", { name: "Zoom In" }).click();
  await page.waitForTimeout(400);
  report("pan, zoomed in", await frames(page, () => wheel(page)));
  report("drag a node, zoomed in", await frames(page, () => drag(page)));

  // A run of a thousand node events: every node starts and succeeds.
  const run = async () => {
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("link", { name: "The run: succeeded" }).waitFor();
  };
  report("a run of 1,000 node events", await frames(page, run));
  const lit = await page.locator('.react-flow__node-step [data-status="succeeded"]').count();
  report("nodes lit", lit);
  expect(lit).toBeGreaterThan(0);
  expect(faults).toEqual([]);
  await context.close();
}, 120_000);

/** What the page has loaded of the studio so far, as a server sends it compressed. */
async function loaded(page: Page): Promise<number> {
  const addresses = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((entry) => new URL(entry.name).pathname)
      .filter((path) => path.startsWith("/assets/")),
  );
  const files = [...new Set(addresses)].map((path) => readFileSync(join(DIST, path)));
  return Math.round(files.reduce((sum, file) => sum + gzipSync(file).length, 0) / 1_000);
}

async function wheel(page: Page) {
  await page.mouse.move(800, 450);
  for (let step = 0; step < 60; step += 1) {
    await page.mouse.wheel(step < 30 ? 24 : -24, step % 2 ? 8 : -8);
    await page.waitForTimeout(8);
  }
}

async function drag(page: Page) {
  const middle = { x: 720, y: 450 };
  const boxes = await page.locator(".react-flow__node-step").evaluateAll((nodes) =>
    nodes.map((node) => {
      const box = node.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + Math.min(box.height / 2, 24) };
    }),
  );
  const inside = boxes.filter((box) => box.x > 500 && box.x < 1_200 && box.y > 200 && box.y < 600);
  const [near] = inside.sort(
    (a, b) => Math.hypot(a.x - middle.x, a.y - middle.y) - Math.hypot(b.x - middle.x, b.y - middle.y),
  );
  if (!near) throw new Error("no node is in the middle");
  await page.mouse.move(near.x, near.y);
  await page.mouse.down();
  for (let step = 1; step <= 60; step += 1) {
    await page.mouse.move(near.x + step * 3, near.y + Math.sin(step / 5) * 40);
    await page.waitForTimeout(8);
  }
  await page.mouse.up();
  await until("the drop", () => page.locator('[data-saving="dirty"]').isVisible());
}
