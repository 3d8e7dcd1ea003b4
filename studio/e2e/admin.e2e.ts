// Those who run the platform: clients, resellers, people who wait to be let in, and another's workspace.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, openSection, signIn, visit } from "./harness/browser.ts";
import { Installation, type Account } from "./harness/installation.ts";
import { look } from "./harness/look.ts";

let at: Installation;
let browser: Browser;
let root: Account;
beforeAll(async () => {
  [at, browser] = await Promise.all([Installation.start({ SLUICE_SIGN_UP: "review" }), openBrowser()]);
  root = await at.person("root@platform.test", "--name", "Rita Root", "--as", "super_admin");
});
afterAll(async () => {
  await browser?.close();
  await at?.stop();
});

const open = (page: Page, name: string) => openSection(page, "Administration", name);

test("a client is made, suspended and let act again", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Clients");
  await page.getByRole("button", { name: "New client" }).click();
  await page.getByLabel("Name for people").fill("Asha's Flowers");
  await page.getByRole("button", { name: "Make it" }).click();
  const row = page.getByRole("row", { name: /asha-s-flowers/ });
  const choose = async (action: string) => {
    await row.getByRole("button", { name: /What to do with/ }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  await page.getByRole("button", { name: "New client" }).click();
  await page.getByLabel("Name for people").fill("Asha's Flowers");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText(/taken|exists/).waitFor();
  await page.keyboard.press("Escape");
  await choose("Suspend…");
  await page.getByLabel("Reason").fill("The bill is not paid.");
  await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
  await row.getByText("The bill is not paid.").waitFor();
  await look(page, "admin-clients");
  await choose("Let act again");
  await row.getByText("active").waitFor();
  await choose("Invite…");
  await page.getByRole("textbox", { name: "E-mail" }).fill("asha@flowers.test");
  await page.getByRole("dialog").getByRole("button", { name: "Invite" }).click();
  await page.getByLabel("Link of the invitation").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  expect(faults).toEqual([]);
  await context.close();
});

test("somebody who signed up waits, is let in, and comes in", async () => {
  const email = "nila@new.test";
  const guest = await visit(browser, at);
  await guest.page.goto("/sign-up");
  await guest.page.getByRole("textbox", { name: "Name" }).fill("Nila");
  await guest.page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await guest.page.getByRole("textbox", { name: "Password" }).fill("a long enough secret");
  await guest.page.getByRole("button", { name: "Sign up" }).click();
  await guest.page.getByRole("textbox", { name: "Code" }).fill(await at.codeFor(email));
  await guest.page.getByRole("button", { name: "Prove the address" }).click();
  await guest.page.getByRole("heading", { name: "Thank you" }).waitFor();
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "People");
  await page.getByLabel("Status").selectOption("under_review");
  const row = page.getByRole("row", { name: /Nila/ });
  await row.getByRole("button", { name: "Reject" }).waitFor();
  await look(page, "admin-people");
  await row.getByRole("button", { name: "Approve" }).click();
  await row.waitFor({ state: "detached" });
  await signIn(guest.page, { email, password: "a long enough secret" });
  expect(faults).toEqual([]);
  await Promise.all([context.close(), guest.context.close()]);
});

test("resellers, team, limits and the trail of the platform", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Resellers");
  await page.getByRole("button", { name: "New reseller" }).click();
  await page.getByLabel("Name for people").fill("North");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("row", { name: /North/ }).getByText("active").waitFor();
  await look(page, "admin-resellers");
  await open(page, "Team");
  await page.getByRole("cell", { name: root.email }).waitFor();
  await look(page, "admin-team");
  await open(page, "Limits");
  await page
    .getByRole("row", { name: /sign_in.account/ })
    .first()
    .waitFor();
  await look(page, "admin-limits");
  await open(page, "Audit");
  await page.getByRole("cell", { name: "reseller.created" }).waitFor();
  await look(page, "admin-audit");
  expect(faults).toEqual([]);
  await context.close();
});

test("the platform gets looks of its own, which workspaces show until they set theirs", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Branding");
  await page.getByLabel("Address for help").fill("nowhere");
  await page.getByRole("button", { name: "Save" }).click();
  expect(
    await page.getByLabel("Address for help").evaluate((one: HTMLInputElement) => one.validity.valid),
  ).toBe(false);
  await page.getByLabel("Address for help").fill("help@north.test");
  await page.getByRole("textbox", { name: "Name" }).fill("North Automations");
  const colour = page.getByRole("textbox", { name: "Colour on light ground", exact: true });
  await colour.fill("green");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => colour.getAttribute("aria-invalid")).toBe("true");
  await page.getByLabel("Pick: colour on light ground").fill("#166534");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await expect.poll(() => page.title()).toBe("Branding · North Automations");
  await page.getByRole("button", { name: "Claim a name" }).click();
  await page.getByRole("textbox", { name: "Host name" }).fill("no host name");
  await page.getByRole("button", { name: "Claim it" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByRole("textbox", { name: "Host name" }).fill("app.north.test");
  await page.getByRole("button", { name: "Claim it" }).click();
  const row = page.getByRole("row", { name: /app.north.test/ });
  await row.getByText("pending").waitFor();
  await look(page, "admin-branding");
  await row.getByRole("button", { name: "Give up" }).click();
  await page.getByRole("button", { name: "Give it up" }).click();
  await row.waitFor({ state: "detached" });
  const owner = await visit(browser, at);
  await signIn(owner.page, at.owner);
  await owner.page.goto("/settings/branding");
  const seen = owner.page.getByRole("textbox", { name: "Name" });
  await expect.poll(() => seen.getAttribute("placeholder")).toBe("North Automations");
  await expect.poll(() => owner.page.title()).toBe("Branding · North Automations");
  expect([...faults, ...owner.faults]).toEqual([]);
  await Promise.all([context.close(), owner.context.close()]);
});

test("who may enter every workspace enters one and sees what is in it", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await page.goto("/runs");
  await page.getByText("Choose a workspace first").waitFor();
  await page.goto("/settings/members");
  await page.getByText("This page is not open to you here.").waitFor();
  await page.getByRole("button", { name: /Workspace:/ }).click();
  await page.getByRole("menuitem", { name: "shop" }).click();
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("link", { name: "Members" }).click();
  await page.getByRole("cell", { name: at.owner.email }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("who runs the platform acts in the place of an owner, and everybody can see it", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, root);
  await open(page, "Clients");
  await page.getByRole("button", { name: "What to do with shop" }).click();
  await page.getByRole("menuitem", { name: "Act in somebody's place…" }).click();
  await page.getByLabel("Reason").fill("They asked for help.");
  await page.getByRole("button", { name: "Go in" }).click();
  const note = page.getByText("Rita Root, you act in the place of Olga Owner.");
  await note.waitFor();
  await page.getByRole("button", { name: "Workspace: shop" }).waitFor();
  await look(page, "impersonation");
  await page.getByRole("button", { name: "End it" }).click();
  await note.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Signed in: Rita Root" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
