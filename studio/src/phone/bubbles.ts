// The messages that a run sent, as a customer sees them. A template tells its name and the values of its variables, not
// its words: those are kept by WhatsApp. Must not know React, nor any node type by name.
import { itemsOf, type RunView } from "../graph/runStates";
import type { Tap } from "./messages";

export type Media = {
  kind: "image" | "video" | "audio" | "document" | "sticker";
  /** Where it is fetched from; what was uploaded before has none. */
  link?: string;
  name?: string;
};
export type Place = { latitude: number; longitude: number; name?: string; address?: string };
export type Template = { name: string; language: string; values: { name: string; value: string }[] };

export type Bubble = {
  key: string;
  node: string;
  type: string;
  header?: string;
  text: string;
  footer?: string;
  media?: Media;
  place?: Place;
  people?: { name: string; phone?: string }[];
  template?: Template;
  /** The customer's message gets a sign, and no message of its own. */
  isReaction?: boolean;
  taps: Tap[];
  /** Opens the list of taps, when it is a list. */
  listTitle?: string;
  /** Buttons that lead out of the chat. */
  links: { title: string; to?: string }[];
};

type Json = Record<string, unknown>;
const record = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const text = (value: unknown) => (typeof value === "string" ? value : "");
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const MEDIA = new Set<string>(["image", "video", "audio", "document", "sticker"]);

/** The messages that a run sent, in the order in which they went out. What nodes hand on is told once. */
export function bubblesOf(run: RunView): Bubble[] {
  const found = new Map<string, { at: number; bubble: Bubble }>();
  for (const node of run.nodes) {
    for (const port of Object.keys(node.output))
      itemsOf(node.output, port).forEach((item, place) => {
        const sent = record(record(item.json).sent);
        const message = record(sent.message);
        if (!text(message.type)) return;
        const key = text(sent.message_id) || `${run.id}/${node.id}/${node.iteration}/${place}`;
        if (!found.has(key))
          found.set(key, { at: node.ended_at ?? 0, bubble: bubbleOf(key, node.id, message) });
      });
  }
  return [...found.values()].sort((a, b) => a.at - b.at).map((entry) => entry.bubble);
}

function bubbleOf(key: string, node: string, message: Json): Bubble {
  const type = text(message.type);
  const part = record(message[type]);
  const bare: Bubble = { key, node, type, text: text(part.body) || text(part.caption), taps: [], links: [] };
  if (type === "interactive") return { ...bare, ...interactive(part) };
  if (type === "template") return { ...bare, ...template(part) };
  if (type === "reaction") return { ...bare, text: text(part.emoji), isReaction: true };
  if (type === "contacts") return { ...bare, people: list(message.contacts).map(person) };
  const media = mediaOf(type, part);
  const place = placeOf(part);
  const isEmpty = !bare.text && !media && !place;
  return { ...bare, ...(media && { media }), ...(place && { place }), ...(isEmpty && { text: type }) };
}

function mediaOf(kind: string, part: Json): Media | undefined {
  if (!MEDIA.has(kind)) return undefined;
  const [link, name] = [text(part.link), text(part.filename)];
  return { kind: kind as Media["kind"], ...(link && { link }), ...(name && { name }) };
}

function placeOf(part: Json): Place | undefined {
  const { latitude, longitude } = part;
  if (typeof latitude !== "number" || typeof longitude !== "number") return undefined;
  const [name, address] = [text(part.name), text(part.address)];
  return { latitude, longitude, ...(name && { name }), ...(address && { address }) };
}

function person(entry: unknown) {
  const { name, phones } = record(entry);
  const phone = text(record(list(phones)[0]).phone);
  return { name: text(record(name).formatted_name), ...(phone && { phone }) };
}

/** The head of a message: a line of text, or a picture, a film, a file, a place. */
function head(header: Json): Partial<Bubble> {
  const kind = text(header.type);
  if (kind === "text") return { header: text(header.text) };
  const media = mediaOf(kind, record(header[kind]));
  const place = kind === "location" ? placeOf(record(header.location)) : undefined;
  return { ...(media && { media }), ...(place && { place }) };
}

function interactive(part: Json): Partial<Bubble> {
  const action = record(part.action);
  const parameters = record(action.parameters);
  const tap =
    (of: Tap["of"]) =>
    (entry: unknown): Tap => {
      const { id, title, description } = record(entry);
      const more = text(description);
      return { kind: "tap", of, id: text(id), title: text(title), ...(more && { description: more }) };
    };
  const rows = list(action.sections).flatMap((section) => list(record(section).rows));
  const buttons = list(action.buttons).map((button) => record(record(button).reply));
  const title = text(parameters.display_text) || text(parameters.flow_cta);
  const to = text(parameters.url);
  const link = title ? [{ title, ...(to && { to }) }] : [];
  const footer = text(record(part.footer).text);
  return {
    type: `interactive ${text(part.type)}`,
    ...head(record(part.header)),
    text: text(record(part.body).text),
    ...(footer && { footer }),
    taps: rows.length ? rows.map(tap("list")) : buttons.map(tap("button")),
    ...(rows.length && { listTitle: text(action.button) || "Choose" }),
    links: action.name === "send_location" ? [{ title: "Send location" }] : link,
  };
}

function template(part: Json): Partial<Bubble> {
  const components = list(part.components).map(record);
  // Cards are shown one below the other, each with its values.
  const cards = components.flatMap((one) => list(one.cards)).map((card) => list(record(card).components));
  const bodies = [components, ...cards.map((card) => card.map(record))]
    .flat()
    .filter((one) => one.type === "body");
  const header = components.find((one) => one.type === "header");
  const buttons = components.filter((one) => one.type === "button");
  const taps = buttons
    .filter((button) => button.sub_type === "quick_reply")
    .map((button): Tap => {
      const payload = text(record(list(button.parameters)[0]).payload);
      return { kind: "tap", of: "template_button", id: payload, title: payload || "Quick reply" };
    });
  return {
    ...(header && head(record(list(header.parameters)[0]))),
    template: {
      name: text(part.name),
      language: text(record(part.language).code),
      values: bodies.flatMap((body) => list(body.parameters)).map(valueOf),
    },
    taps,
    links: buttons.filter((button) => button.sub_type !== "quick_reply").map(linkOf),
  };
}

/** A variable by its name, or by its number. */
function valueOf(parameter: unknown, place: number) {
  const { parameter_name: name, type, ...value } = record(parameter);
  const own = record(value[text(type)]);
  return {
    name: text(name) || String(place + 1),
    value: text(value.text) || text(own.fallback_value) || text(type),
  };
}

/** What a template's button leads to, as far as the message says it. */
function linkOf(button: Json) {
  const parameter = record(list(button.parameters)[0]);
  const code = text(parameter.coupon_code);
  if (code) return { title: `Copy code ${code}` };
  if (button.sub_type === "url") return { title: `Open …${text(parameter.text)}` };
  return { title: text(button.sub_type).replaceAll("_", " ") };
}
