// Plans, prices, credits and subscriptions, for those who run the platform or a reseller; and who acted in whose place.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, openSection, PHONE, signIn, visit } from "./harness/browser.ts";
import { Installation, type Account } from "./harness/installation.ts";
import { look } from "./harness/look.ts";

let at: Installation;
let browser: Browser;
let root: Account;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start(), openBrowser()]);
  root = await at.person("root@platform.test", "--name", "Rita Root", "--as", "super_admin");
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const open = (page: Page, name: string) => openSection(page, "Administration", name);

test("a plan is made, changed and withdrawn, and a price put on the list", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Plans and prices");
  await page.getByRole("button", { name: "New plan" }).click();
  const dialog = page.getByRole("dialog");
  const price = dialog.getByRole("spinbutton", { name: "Price", exact: true });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Growth");
  await price.fill("499.50");
  await dialog.getByLabel("Days to try it").fill("14");
  await dialog.getByLabel("Limits: value of field 1").fill("1000");
  await dialog.getByLabel("What else it opens").fill("API access");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText(/"API" is no name/).waitFor();
  expect(await dialog.getByLabel("What else it opens").getAttribute("aria-invalid")).toBe("true");
  await look(page, "admin-plan");
  await dialog.getByLabel("What else it opens").fill("api_access");
  await dialog.getByRole("button", { name: "Make it" }).click();
  const row = page.getByRole("row", { name: /Growth/ });
  await row.getByText("₹499.50 a month").waitFor();
  await row.getByText("messages: 1,000").waitFor();
  const choose = async (action: string) => {
    await row.getByRole("button", { name: "What to do with Growth" }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  await choose("Change");
  expect(await price.inputValue()).toBe("499.5");
  await price.fill("599");
  await dialog.getByRole("button", { name: "Save" }).click();
  await row.getByText("₹599.00 a month").waitFor();
  await page.getByRole("button", { name: "New price" }).click();
  await dialog.getByLabel("Category or model").fill("marketing");
  await price.fill("0.85");
  await dialog.getByRole("button", { name: "Put it on the list" }).click();
  await page
    .getByRole("row", { name: /marketing/ })
    .getByText("₹0.85 each")
    .waitFor();
  await look(page, "admin-plans");
  await choose("Withdraw…");
  await page.getByRole("button", { name: "Withdraw", exact: true }).click();
  await row.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await context.close();
});

test("credits are given and taken back, never more than there are", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Credits");
  await page.getByText("No credits were moved yet").waitFor();
  await page.getByRole("button", { name: "Move credits" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("To").selectOption({ label: "shop" });
  await dialog.getByLabel("Amount").fill("500");
  await dialog.getByLabel("What it is about").fill("Invoice 17");
  await dialog.getByRole("button", { name: "Give them" }).click();
  await page.getByRole("cell", { name: "Invoice 17" }).waitFor();
  await page.getByRole("definition").getByText("₹500.00").waitFor();
  await look(page, "admin-credits");
  await page.getByRole("button", { name: "Move credits" }).click();
  await dialog.getByLabel("Direction").selectOption("back");
  await dialog.getByLabel("From").selectOption({ label: "shop" });
  await dialog.getByLabel("Amount").fill("500.01");
  await dialog.getByRole("button", { name: "Take them back" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("Amount").fill("200");
  await dialog.getByRole("button", { name: "Take them back" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("cell", { name: "₹200.00", exact: true }).waitFor();
  await page.getByRole("definition").getByText("₹300.00").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a client is given a plan, its payments are reported, and its owner sees them", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Clients");
  await page.getByRole("link", { name: "shop" }).click();
  await page.getByRole("heading", { name: "shop", level: 1 }).waitFor();
  await page.getByText("₹300.00 can be spent.").waitFor();
  await page.getByRole("button", { name: "Choose a plan" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Plan").selectOption({ label: "Yearly: ₹3,999.00 a year" });
  await dialog.getByRole("button", { name: "Choose it" }).click();
  await page.getByText("active").nth(1).waitFor();
  const report = async (name: string) => {
    await page.getByRole("button", { name, exact: true }).click();
    await dialog.getByLabel("Note").fill("Invoice 18");
    await dialog.getByRole("button", { name, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  };
  await report("Report a failed payment");
  await page.getByText("past due").waitFor();
  await look(page, "admin-client");
  await report("Report a payment");
  await page.getByText("past due").waitFor({ state: "detached" });
  const owner = await visit(browser, at);
  await signIn(owner.page, at.owner);
  await owner.page.goto("/settings/plan");
  await owner.page.getByRole("button", { name: "Cancel the plan" }).waitFor();
  await owner.page.getByText("₹300.00 can be spent.").waitFor();
  await report("End now");
  await page.getByText("expired").waitFor();
  expect(await page.getByRole("button", { name: "Report a payment" }).count()).toBe(0);
  expect([...faults, ...owner.faults]).toEqual([]);
  await Promise.all([context.close(), owner.context.close()]);
});

test("somebody acts in a member's place, says why, and stands in the list", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Impersonations");
  await page.getByText("Nobody acted in somebody else's place").waitFor();
  await page.getByRole("button", { name: "Act in somebody's place" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Workspace").selectOption({ label: "shop" });
  await dialog.getByLabel("In whose place").fill("nobody@shop.test");
  await dialog.getByLabel("Reason").fill("They asked for help with a broken flow.");
  await dialog.getByRole("button", { name: "Go in" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("In whose place").fill(at.owner.email);
  await dialog.getByRole("button", { name: "Go in" }).click();
  await page.getByText("Rita Root, you act in the place of Olga Owner.").waitFor();
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("heading", { name: "Workspace", level: 1 }).waitFor();
  expect(await page.getByRole("link", { name: "Profile" }).count(), "what is the member's own").toBe(0);
  await page.getByRole("button", { name: "End it" }).click();
  await page.getByRole("button", { name: "Signed in: Rita Root" }).waitFor();
  await open(page, "Impersonations");
  const row = page.getByRole("row", { name: /They asked for help/ });
  await row.getByText("Olga Owner").waitFor();
  await row.getByText("in shop").waitFor();
  await look(page, "admin-impersonations");
  expect(faults).toEqual([]);
  await context.close();
});

test("who runs a reseller gives only what the reseller has, also from a phone", async () => {
  const nora = await at.reseller("north", "nora@north.test");
  const { page, context, faults } = await visit(browser, at, PHONE);
  await signIn(page, nora);
  await open(page, "Clients");
  await page.getByRole("button", { name: "New client" }).click();
  await page
    .getByLabel("Name for people")
    .fill("A client with a rather long name for such a small telephone");
  await page.getByRole("button", { name: "Make it" }).click();
  const menu = page.getByRole("button", { name: /What to do with A client/ });
  await menu.click();
  await page.getByRole("menuitem", { name: "Move credits…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Amount").fill("10");
  await dialog.getByRole("button", { name: "Give them" }).click();
  await dialog.getByRole("alert").waitFor();
  await look(page, "admin-move-credits-phone");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => menu.evaluate((one) => one === document.activeElement)).toBe(true);
  await look(page, "admin-clients-phone");
  await open(page, "Plans and prices");
  await page.getByText("No plans yet").waitFor();
  const sections = page.getByRole("navigation", { name: "Administration" });
  expect(await sections.getByRole("link", { name: "Resellers" }).count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});
