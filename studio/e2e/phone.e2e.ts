// The simulated phone: every kind of message looks as the customer sees it, and what can be tapped is tapped.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openWorkflow } from "./canvas.ts";
import { openBrowser } from "./harness/browser.ts";
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

const messages = [
  { type: "reaction", emoji: "👍" },
  {
    type: "template",
    template: "order_update",
    language: "en_US",
    header: { text: "Order 42" },
    body: ["Asha", "tomorrow"],
    buttons: [{ index: 0, payload: "LATER" }],
  },
  {
    type: "document",
    link: "https://shop.test/bill.pdf",
    filename: "Bill 42.pdf",
    caption: "Your bill, {{ contact.name }}",
  },
  { type: "location", latitude: 18.52, longitude: 73.85, name: "Our shop", address: "MG Road 1" },
  {
    type: "interactive",
    header: { text: "Opening hours" },
    body: "Open until nine.",
    footer: "Closed on Sundays",
    cta: { text: "See the map", url: "https://shop.test/map" },
  },
  {
    type: "interactive",
    body: "What can we do for you?",
    list: {
      button: "Choose",
      sections: [{ rows: [{ id: "price", title: "Prices", description: "All of them" }, { title: "Help" }] }],
    },
  },
];

const chatty = {
  name: "Chatty",
  nodes: [
    { id: "heard", type: "whatsapp.message_received", label: "A customer writes", params: {} },
    ...messages.map((params, place) => ({
      id: `say-${place}`,
      type: "whatsapp.send",
      label: `Message ${place + 1}`,
      params,
    })),
  ],
  edges: messages.map((_, place) => ({
    from: place === 0 ? "heard" : `say-${place - 1}`,
    to: `say-${place}`,
  })),
};

test("templates, files, places, links and lists look as the customer sees them", async () => {
  const id = await at.workflow(chatty);
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await page.getByRole("button", { name: "Phone" }).click();
  const field = page.getByRole("textbox", { name: "Message of the customer" });
  await field.fill("Hello");
  await field.press("Enter");
  const log = page.getByRole("log");
  const bubble = (place: number) => log.locator(`[data-bubble="say-${place}"]`);
  await bubble(5).getByText("What can we do for you?").waitFor();
  expect(await bubble(0).innerText()).toContain("👍");
  expect(await bubble(1).innerText()).toMatch(
    /Order 42\s+Template order_update · en_US\s+\{\{1}}\s+Asha\s+\{\{2}}\s+tomorrow/,
  );
  expect(await bubble(2).innerText()).toMatch(
    /Bill 42\.pdf\s+https:\/\/shop\.test\/bill\.pdf\s+Your bill, Asha Rao/,
  );
  expect(await bubble(3).innerText()).toMatch(/Our shop\s+MG Road 1\s+18\.52, 73\.85/);
  expect(await bubble(4).innerText()).toMatch(
    /Opening hours\s+Open until nine\.\s+Closed on Sundays[\s\S]+See the map\s+https:\/\/shop\.test\/map/,
  );
  await look(page, "phone-messages");
  // A tap on a row of the list, and on the template's quick reply, are messages of the customer.
  await bubble(5).getByRole("button", { name: "Prices All of them" }).click();
  await log.getByText("Customer: Prices").waitFor();
  await bubble(1).getByRole("button", { name: "LATER" }).first().click();
  await log.getByText("Customer: LATER").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("places and pictures go the other way", async () => {
  const id = await at.workflow({
    name: "Mirror",
    nodes: [
      { id: "heard", type: "whatsapp.message_received", params: {} },
      {
        id: "answer",
        type: "whatsapp.send",
        label: "Answer",
        params: { type: "text", text: "A {{ json.message.type }}" },
      },
    ],
    edges: [{ from: "heard", to: "answer" }],
  });
  const { page, context, faults } = await openWorkflow(browser, at, id);
  await page.getByRole("button", { name: "Phone" }).click();
  const log = page.getByRole("log");
  const attach = async (what: string) => {
    await page.getByRole("button", { name: "Send something else" }).click();
    await page.getByRole("menuitem", { name: what }).click();
  };
  await attach("Location…");
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  await log.getByText("A location").waitFor();
  await page.getByRole("textbox", { name: "Message of the customer" }).fill("Our cat");
  await attach("Picture");
  await log.getByText("A image").waitFor();
  await log.getByText("image: Our cat").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
