// Looks at a page as it is: in both colours, for everybody, and with a picture when pictures are wanted.
import axe from "axe-core";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { SCREENSHOTS } from "./paths.ts";

const isTaken = process.env.SLUICE_SCREENSHOTS === "1";

/** Fails when axe finds something serious, light or dark. With SLUICE_SCREENSHOTS=1 leaves `{name}-{light|dark}.png`. */
export async function look(page: Page, name: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await page.waitForFunction(
      (isDark) => document.documentElement.classList.contains("dark") === isDark,
      theme === "dark",
    );
    expect(await seriousProblems(page), `${name}, ${theme}`).toEqual([]);
    if (isTaken) {
      await mkdir(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${theme}.png`), animations: "disabled" });
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
}

/** What keeps somebody from using the page. */
async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
    return (window as unknown as { axe: typeof axe }).axe.run(document, { runOnly: tags });
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary}`),
    );
}
