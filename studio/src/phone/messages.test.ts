// What is said on the phone: customers' events, bubbles of what was sent, faults with their node.
import { describe, expect, it } from "vitest";

import { catalogueOf } from "../graph/catalogue";
import type { RunView } from "../graph/runStates";
import { node, typeOf, workflow } from "../graph/testing";
import { bubblesOf } from "./bubbles";
import { chatTriggers, eventOf, faultsOf, waitsForReply } from "./messages";

const example = {
  input: [
    {
      message: { id: "x", text: "Hi" },
      contact: { id: "con_1" },
      conversation: { id: "c" },
      number: { id: "n" },
    },
  ],
};
const catalogue = catalogueOf([
  typeOf("chat.in", [], ["main"], { trigger: { competes: true } as never, examples: [example] as never }),
  typeOf("start.hand", [], ["main"], { trigger: { competes: false } as never }),
]);
const customer = { name: "Asha Rao", phone: "91987" };
const chat = { id: "phone-1", isFirst: true };

const ran = (id: string, json: unknown, more: object = {}) => ({
  id,
  status: "succeeded",
  iteration: 0,
  attempt: 1,
  ended_at: 1,
  input: {},
  output: { main: [{ json }] },
  error: null,
  wait: null,
  ...more,
});
const run = (...nodes: object[]) =>
  ({ id: "run_1", status: "succeeded", error: null, nodes }) as unknown as RunView;
const sent = (id: string, message: object) => ({ sent: { message_id: id, message } });

describe("what a customer says", () => {
  it("goes to the triggers that compete, by priority", () => {
    const document = workflow([
      node("late", "chat.in"),
      node("hand", "start.hand"),
      node("first", "chat.in", { priority: 50 }),
      node("off", "chat.in", {}, { disabled: true }),
    ]);
    expect(chatTriggers(document, catalogue).map((trigger) => trigger.id)).toEqual(["first", "late"]);
  });
  it("is an event like the one in the trigger's example", () => {
    const event = eventOf(
      { kind: "text", text: "Hello" },
      node("in", "chat.in"),
      catalogue,
      customer,
      chat,
      7,
    );
    expect(event).toMatchObject({
      message: { type: "text", text: "Hello", timestamp: 7, from: "91987", answerable: true },
      contact: { id: "con_1", name: "Asha Rao", phone: "91987" },
      conversation: { id: "phone-1", is_first_message: true },
      number: { id: "n" },
    });
  });
  it.each([
    [
      { kind: "tap", of: "button", id: "a", title: "A" } as const,
      { type: "interactive", reply: { kind: "button", id: "a", title: "A" } },
    ],
    [
      { kind: "media", type: "image", caption: "Me" } as const,
      { type: "image", text: "Me", media: { mime_type: "image/jpeg" } },
    ],
    [
      { kind: "location", latitude: 1, longitude: 2 } as const,
      { type: "location", location: { latitude: 1, longitude: 2 } },
    ],
  ])("%o", (said, message) => {
    expect(eventOf(said, undefined, catalogue, customer, chat, 7).message).toMatchObject(message);
  });
});

describe("what a run answers", () => {
  it("is told once, with what can be tapped", () => {
    const menu = {
      type: "interactive",
      interactive: {
        type: "button",
        body: { text: "How can we help?" },
        action: { buttons: [{ reply: { id: "h", title: "Hours" } }] },
      },
    };
    const list = {
      type: "interactive",
      interactive: {
        type: "list",
        body: { text: "Choose" },
        action: { button: "Open", sections: [{ rows: [{ id: "r", title: "Row", description: "First" }] }] },
      },
    };
    const handedOn = sent("m1", { type: "text", text: { body: "Hi" } });
    const bubbles = bubblesOf(
      run(
        ran("a", handedOn),
        ran("after", handedOn),
        ran("b", sent("m2", menu), { ended_at: 2 }),
        ran("c", sent("m3", list), { ended_at: 3 }),
      ),
    );
    expect(bubbles.map((bubble) => [bubble.node, bubble.text])).toEqual([
      ["a", "Hi"],
      ["b", "How can we help?"],
      ["c", "Choose"],
    ]);
    expect(bubbles[1]?.taps).toEqual([{ kind: "tap", of: "button", id: "h", title: "Hours" }]);
    expect(bubbles[2]).toMatchObject({
      listTitle: "Open",
      taps: [{ of: "list", id: "r", description: "First" }],
    });
  });
  const seen = (message: object) => bubblesOf(run(ran("a", sent("m", message))))[0];
  it("is a template with its head, its variables and its buttons", () => {
    const text = (value: string) => ({ type: "text", text: value });
    const button = (sub_type: string, parameter: object) => ({
      type: "button",
      sub_type,
      parameters: [parameter],
    });
    const template = {
      name: "order_update",
      language: { code: "en_US" },
      components: [
        { type: "header", parameters: [{ type: "image", image: { link: "https://shop.test/42.jpg" } }] },
        { type: "body", parameters: [text("Asha"), { ...text("42"), parameter_name: "order" }] },
        button("quick_reply", { type: "payload", payload: "STOP" }),
        button("url", text("orders/42")),
        button("copy_code", { type: "coupon_code", coupon_code: "SAVE5" }),
      ],
    };
    expect(seen({ type: "template", template })).toMatchObject({
      media: { kind: "image", link: "https://shop.test/42.jpg" },
      template: {
        name: "order_update",
        language: "en_US",
        values: [
          { name: "1", value: "Asha" },
          { name: "order", value: "42" },
        ],
      },
      taps: [{ of: "template_button", id: "STOP" }],
      links: [{ title: "Open …orders/42" }, { title: "Copy code SAVE5" }],
    });
  });
  it.each([
    [
      {
        type: "document",
        document: { link: "https://a.test/b", filename: "bill.pdf", caption: "Your bill" },
      },
      { text: "Your bill", media: { kind: "document", name: "bill.pdf", link: "https://a.test/b" } },
    ],
    [
      { type: "video", video: { id: "7" } },
      { text: "", media: { kind: "video" } },
    ],
    [
      { type: "location", location: { latitude: 18.5, longitude: 73.8, name: "Shop", address: "MG Road" } },
      { place: { latitude: 18.5, longitude: 73.8, name: "Shop", address: "MG Road" } },
    ],
    [
      { type: "contacts", contacts: [{ name: { formatted_name: "Ravi" }, phones: [{ phone: "+91" }] }] },
      { people: [{ name: "Ravi", phone: "+91" }] },
    ],
    [
      { type: "reaction", reaction: { message_id: "m0", emoji: "👍" } },
      { text: "👍", isReaction: true },
    ],
    [
      {
        type: "interactive",
        interactive: {
          type: "cta_url",
          header: { type: "text", text: "Shop" },
          body: { text: "Look" },
          footer: { text: "Open all day" },
          action: { name: "cta_url", parameters: { display_text: "Open", url: "https://shop.test" } },
        },
      },
      {
        header: "Shop",
        text: "Look",
        footer: "Open all day",
        links: [{ title: "Open", to: "https://shop.test" }],
      },
    ],
    [{ type: "of_tomorrow", of_tomorrow: {} }, { text: "of_tomorrow" }],
  ])("is shown as the customer sees it: %j", (message, bubble) => {
    expect(seen(message)).toMatchObject(bubble);
  });
  it("may be a fault, with its node", () => {
    const failed = ran("bad", {}, { status: "failed", output: {}, error: { message: "No" } });
    expect(faultsOf(run(failed))).toMatchObject([{ node: "bad", text: "No" }]);
    expect(
      faultsOf({ ...run(), status: "failed", error: { message: "All" } } as unknown as RunView),
    ).toMatchObject([{ node: null, text: "All" }]);
  });
  it("may be a question that waits", () => {
    const waiting = ran("ask", {}, { status: "waiting", wait: { kind: "reply" } });
    expect(waitsForReply(run(ran("a", {}), waiting))?.id).toBe("ask");
    expect(waitsForReply(null)).toBeUndefined();
  });
});
