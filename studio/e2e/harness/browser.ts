// A browser, and pages in it that tell of every fault they have. Must not know which pages there are.
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

import type { Account, Installation } from "./installation.ts";
import { CHROMIUM } from "./paths.ts";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

export type Visit = { context: BrowserContext; page: Page; faults: string[] };

/** A person comes with a browser of their own. */
export async function visit(browser: Browser, at: Installation, viewport = WIDE): Promise<Visit> {
  const context = await browser.newContext({ baseURL: at.studio, viewport, colorScheme: "light" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // The browser notes every answer of 400 and above by itself; that a server is away is part of a test.
    const isNoise = /Failed to load resource|ERR_CONNECTION|net::ERR/.test(message.text());
    if (message.type() === "error" && !isNoise) faults.push(message.text());
  });
  return { context, page, faults };
}

/** Signs in at the door, as people do. */
export async function signIn(page: Page, { email, password }: Account): Promise<void> {
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main" }).first().waitFor();
}

/** Goes to a page of the settings or of the administration, as a person does. */
export async function openSection(
  page: Page,
  area: "Settings" | "Administration",
  name: string,
): Promise<void> {
  const door = area === "Settings" ? area : "Admin";
  await page.getByRole("link", { name: door }).first().click();
  await page.getByRole("navigation", { name: area }).getByRole("link", { name }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
}

/** Comes with the API key in the hand, for flows in which signing in is not the point. */
export async function withKey({ context }: Visit, key: string): Promise<void> {
  await context.addInitScript((given) => sessionStorage.setItem("sluice.key", given), key);
}
