// The settings: what people set for themselves and for their workspace.
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, openSection, PHONE, signIn, visit } from "./harness/browser.ts";
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

const open = (page: Page, name: string) => openSection(page, "Settings", name);

test("a person changes their name and password, and ends another session", async () => {
  const { email, password } = await at.person(
    "uma@shop.test",
    "--name",
    "Uma",
    "--as",
    "viewer",
    "--workspace",
    "shop",
  );
  const elsewhere = await visit(browser, at);
  await signIn(elsewhere.page, { email, password });
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, { email, password });
  await open(page, "Profile");
  await page.getByRole("textbox", { name: "Name" }).fill("Uma Rao");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Signed in: Uma Rao" }).waitFor();
  await look(page, "settings-profile");
  await page.getByRole("button", { name: "End", exact: true }).click();
  await page.getByRole("button", { name: "End", exact: true }).waitFor({ state: "detached" });
  await elsewhere.page.reload();
  await elsewhere.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Present password").fill("wrong");
  await page.getByLabel("New password").fill("an even longer secret");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel("Present password").fill(password);
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("The password is changed.").first().waitFor();
  expect(await page.getByRole("link", { name: "API keys" }).count()).toBe(0);
  expect(faults).toEqual([]);
  await Promise.all([context.close(), elsewhere.context.close()]);
});

test("somebody is invited, accepts, and gets another role", async () => {
  const guest = await at.person("ines@guest.test", "--name", "Ines", "--as", "platform_admin");
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "Members");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("textbox", { name: "E-mail" }).fill(guest.email);
  await page.getByLabel("As").selectOption("agent");
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await page.getByLabel("Link of the invitation").textContent();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("cell", { name: guest.email, exact: true }).waitFor();
  const theirs = await visit(browser, at);
  await signIn(theirs.page, guest);
  await theirs.page.goto(link ?? "");
  await theirs.page.getByText("is invited as agent to a workspace").waitFor();
  await look(theirs.page, "invitation");
  await theirs.page.getByRole("button", { name: "Accept" }).click();
  await theirs.page.getByRole("button", { name: "Workspace: shop" }).waitFor();
  await page.reload();
  const role = page.getByLabel("Role of Ines");
  await role.selectOption("viewer");
  await expect.poll(() => role.inputValue()).toBe("viewer");
  await look(page, "settings-members");
  expect(faults).toEqual([]);
  await Promise.all([context.close(), theirs.context.close()]);
});

test("a key is shown once, opens the API, and is ended", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "API keys");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Till");
  await page.getByLabel("Only for some things").click();
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByText("Choose what the key may do.").waitFor();
  await page.getByLabel("run:read", { exact: true }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = (await page.getByLabel("API key", { exact: true }).textContent()) ?? "";
  await page.getByRole("button", { name: "I have it" }).click();
  const ask = async (path: string) =>
    (await fetch(at.server + path, { headers: { authorization: `Bearer ${key}` } })).status;
  expect(await ask("/api/runs")).toBe(200);
  expect(await ask("/api/workflows")).toBe(403);
  const row = page.getByRole("row", { name: /Till/ });
  await row.getByText("1 permission").waitFor();
  await look(page, "settings-keys");
  await row.getByRole("button", { name: "End" }).click();
  await page.getByRole("button", { name: "End the key" }).click();
  await row.getByText("ended").waitFor();
  expect(await ask("/api/runs")).toBe(401);
  expect(faults).toEqual([]);
  await context.close();
});

test("a credential is stored without showing its secret, changed and deleted; a number names it", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "Credentials");
  await page.getByRole("button", { name: "New credential" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("shop-api");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption({ label: "Bearer token" });
  await dialog.getByRole("textbox", { name: "Token", exact: true }).fill("very-secret-token");
  await look(page, "settings-credential");
  await dialog.getByRole("button", { name: "Store it" }).click();
  const row = page.getByRole("row", { name: /shop-api/ });
  await row.getByText("token").waitFor();
  expect(await page.content()).not.toContain("very-secret-token");
  await look(page, "settings-credentials");
  await row.getByRole("button", { name: "What to do with shop-api" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await open(page, "Numbers");
  await page
    .getByRole("row", { name: /15550783881/ })
    .getByText("whatsapp")
    .waitFor();
  await look(page, "settings-numbers");
  expect(faults).toEqual([]);
  await context.close();
});

test("a limit is set and taken away, and the trail tells of it", async () => {
  const { page, context, faults } = await visit(browser, at);
  await signIn(page, at.owner);
  await open(page, "Limits");
  await page.getByRole("button", { name: "Set a limit" }).click();
  await page.getByLabel("What it counts").fill("no such thing");
  await page.getByLabel("in so many seconds").fill("");
  await page.getByRole("button", { name: "Set it" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("in so many seconds").fill("60");
  await page.getByLabel("What it counts").fill("write");
  await page.getByRole("button", { name: "Set it" }).click();
  await page.getByRole("row", { name: /write/ }).getByText("100 in 60 s").waitFor();
  await look(page, "settings-limits");
  await page.getByRole("button", { name: /Take the limit on write/ }).click();
  await page.getByRole("button", { name: "Take it away" }).click();
  await page.getByText("No limits are set").waitFor();
  await open(page, "Audit");
  await page.getByLabel("What", { exact: true }).fill("limit");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("cell", { name: "limit.deleted" }).waitFor();
  await page
    .getByRole("button", { name: /More of entry/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("are as they were written").waitFor();
  await look(page, "settings-audit");
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  expect(await readFile(await saved.path(), "utf8")).toContain("limit.deleted");
  expect(faults).toEqual([]);
  await context.close();
});

test("what is typed wrong is said where it was typed, and nothing is lost", async () => {
  const { page, context, faults } = await visit(browser, at);
  const dialog = page.getByRole("dialog");
  const isInvalid = (label: string) =>
    expect.poll(() => dialog.getByLabel(label).first().getAttribute("aria-invalid")).toBe("true");
  await signIn(page, at.owner);
  await open(page, "Numbers");
  await page.getByRole("button", { name: "Connect a number" }).click();
  await dialog.getByLabel("Number, as people read it").fill("+91 98765 43210");
  await dialog.getByLabel("Id of the number").fill("my phone");
  await dialog.getByLabel("Id of the business account").fill("102290129340398");
  await dialog.getByLabel("Credential").fill("whatsapp");
  await dialog.getByRole("button", { name: "Connect" }).click();
  await isInvalid("Id of the number");
  await look(page, "settings-number");
  await dialog.getByLabel("Id of the number").fill("106540352242923");
  await dialog.getByLabel("Credential").fill("no such credential");
  await dialog.getByRole("button", { name: "Connect" }).click();
  await dialog.getByRole("alert").waitFor();
  expect(await dialog.getByLabel("Number, as people read it").inputValue()).toBe("+91 98765 43210");
  await page.keyboard.press("Escape");
  await open(page, "Credentials");
  await page.getByRole("button", { name: "New credential" }).click();
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("whatsapp");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption({ label: "Bearer token" });
  await dialog.getByRole("textbox", { name: "Token", exact: true }).fill("another");
  await dialog.getByRole("button", { name: "Store it" }).click();
  await dialog.getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  await open(page, "Members");
  await page.getByRole("button", { name: "Invite" }).click();
  await dialog.getByRole("textbox", { name: "E-mail" }).fill(at.owner.email);
  await dialog.getByRole("button", { name: "Invite", exact: true }).click();
  await dialog.getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  await open(page, "Workspace");
  await page.getByLabel("Name for people").fill(" ");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog.getByLabel("Type shop").fill("shops");
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await dialog.getByText("Type shop to delete it.").waitFor();
  await page.keyboard.press("Escape");
  await expect
    .poll(() =>
      page.getByRole("button", { name: "Delete…" }).evaluate((one) => one === document.activeElement),
    )
    .toBe(true);
  expect(faults).toEqual([]);
  await context.close();
});

test("the workspace gets another name, also on a phone", async () => {
  const { page, context, faults } = await visit(browser, at, PHONE);
  await signIn(page, at.owner);
  await open(page, "Workspace");
  await page.getByLabel("Name for people").fill("The Shop");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Workspace: The Shop" }).waitFor();
  await look(page, "settings-workspace-phone");
  expect(faults).toEqual([]);
  await context.close();
});
