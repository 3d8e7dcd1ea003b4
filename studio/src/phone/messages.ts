// What is said on the phone, as the server's events and messages have it: a customer's message becomes an event, a message
// that a node sent becomes a bubble. Must not know React, nor any node type by name.
import type { Catalogue } from "../graph/catalogue";
import type { NodeDoc, WorkflowDocument } from "../graph/document";
import { itemsOf, type NodeRun, type RunView } from "../graph/runStates";

/** What a customer can say. */
export type Said =
  | { kind: "text"; text: string }
  | {
      kind: "tap";
      of: "button" | "list" | "template_button";
      id: string;
      title: string;
      description?: string;
    }
  | { kind: "media"; type: "image" | "video" | "audio" | "document"; caption?: string }
  | { kind: "location"; latitude: number; longitude: number; name?: string };

export type Customer = { name: string; phone: string };

/** Something that can be tapped below a message. */
export type Tap = Extract<Said, { kind: "tap" }>;

export type Bubble = {
  key: string;
  node: string;
  type: string;
  header?: string;
  text: string;
  footer?: string;
  /** Address of a picture or file. */
  link?: string;
  place?: { latitude: number; longitude: number; name?: string };
  taps: Tap[];
  /** Opens the list of taps, when it is a list. */
  listTitle?: string;
};

type Json = Record<string, unknown>;
const record = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const text = (value: unknown) => (typeof value === "string" ? value : "");

/** Triggers that compete for what customers write, in the order in which they are asked. */
export function chatTriggers(document: WorkflowDocument, catalogue: Catalogue): NodeDoc[] {
  const competes = (node: NodeDoc) =>
    Boolean(
      (catalogue.byType.get(node.type)?.trigger as { competes?: boolean } | null | undefined)?.competes,
    );
  const priority = (node: NodeDoc) => (typeof node.params.priority === "number" ? node.params.priority : 100);
  return document.nodes
    .filter((node) => competes(node) && !node.disabled)
    .sort((a, b) => priority(a) - priority(b));
}

/** The event of a message, shaped like the one in the trigger's own example. */
export function eventOf(
  said: Said,
  trigger: NodeDoc | undefined,
  catalogue: Catalogue,
  customer: Customer,
  conversation: { id: string; isFirst: boolean },
  now: number,
): Json {
  const examples = (trigger && catalogue.byType.get(trigger.type)?.examples) as
    { input?: unknown[] }[] | undefined;
  const example = record(examples?.find((one) => one.input?.length)?.input?.[0]);
  return {
    ...example,
    message: {
      id: `wamid.phone.${now}`,
      timestamp: now,
      from: customer.phone,
      answerable: true,
      ...messageOf(said),
    },
    contact: {
      ...record(example.contact),
      name: customer.name,
      first_name: customer.name.split(" ")[0],
      phone: customer.phone,
    },
    conversation: {
      ...record(example.conversation),
      id: conversation.id,
      is_first_message: conversation.isFirst,
    },
  };
}

function messageOf(said: Said): Json {
  switch (said.kind) {
    case "text":
      return { type: "text", text: said.text };
    case "tap": {
      const { of, id, title, description } = said;
      const type = of === "template_button" ? "button" : "interactive";
      return { type, reply: { kind: of, id, title, ...(description && { description }) } };
    }
    case "media": {
      const mime = {
        image: "image/jpeg",
        video: "video/mp4",
        audio: "audio/ogg",
        document: "application/pdf",
      }[said.type];
      const media = {
        id: `media.phone.${said.type}`,
        mime_type: mime,
        ...(said.caption && { caption: said.caption }),
      };
      return { type: said.type, media, ...(said.caption && { text: said.caption }) };
    }
    case "location": {
      const { latitude, longitude, name } = said;
      return { type: "location", location: { latitude, longitude, ...(name && { name }) } };
    }
  }
}

/** The words of what a customer said, for the bubble. */
export function wordsOf(said: Said): string {
  switch (said.kind) {
    case "text":
      return said.text;
    case "tap":
      return said.title;
    case "media":
      return said.caption ? `${said.type}: ${said.caption}` : said.type;
    case "location":
      return said.name ?? `${said.latitude}, ${said.longitude}`;
  }
}

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
  if (type === "interactive") return interactive(key, node, part);
  const bubble: Bubble = { key, node, type, text: text(part.body) || text(part.caption), taps: [] };
  if (type === "template") {
    bubble.text = `Template “${text(part.name)}”`;
    bubble.footer = text(record(part.language).code);
    bubble.taps = templateTaps(part);
  }
  if (type === "reaction") bubble.text = text(part.emoji);
  if (text(part.link)) bubble.link = text(part.link);
  if (typeof part.latitude === "number" && typeof part.longitude === "number") {
    bubble.place = { latitude: part.latitude, longitude: part.longitude, name: text(part.name) || undefined };
  }
  if (!bubble.text && !bubble.link && !bubble.place) bubble.text = text(part.filename) || type;
  return bubble;
}

function interactive(key: string, node: string, part: Json): Bubble {
  const action = record(part.action);
  const header = record(part.header);
  const rows = list(action.sections).flatMap((section) => list(record(section).rows));
  const buttons = list(action.buttons).map((button) => record(record(button).reply));
  const tap =
    (of: Tap["of"]) =>
    (entry: unknown): Tap => {
      const { id, title, description } = record(entry);
      return {
        kind: "tap",
        of,
        id: text(id),
        title: text(title),
        ...(text(description) && { description: text(description) }),
      };
    };
  const link = text(record(header[text(header.type)]).link) || text(record(action.parameters).url);
  return {
    key,
    node,
    type: `interactive ${text(part.type)}`,
    header: text(header.text) || undefined,
    text: text(record(part.body).text),
    footer: text(record(part.footer).text) || undefined,
    ...(link && { link }),
    taps: rows.length ? rows.map(tap("list")) : buttons.map(tap("button")),
    ...(rows.length && { listTitle: text(action.button) || "Choose" }),
  };
}

/** Quick replies of a template, as far as the message tells them: their payloads. */
function templateTaps(template: Json): Tap[] {
  return list(template.components).flatMap((entry): Tap[] => {
    const component = record(entry);
    if (component.type !== "button" || component.sub_type !== "quick_reply") return [];
    const payload = text(record(list(component.parameters)[0]).payload);
    return [{ kind: "tap", of: "template_button", id: payload, title: payload || "Quick reply" }];
  });
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The node that waits for what the customer writes next. */
export function waitsForReply(run: RunView | null): NodeRun | undefined {
  return run?.nodes.find((node) => node.status === "waiting" && record(node.wait).kind === "reply");
}

export type Fault = { key: string; node: string | null; text: string };

/** What went wrong in a run, with the node to look at. */
export function faultsOf(run: RunView): Fault[] {
  const faults = run.nodes
    .filter((node) => node.status === "failed")
    .map((node): Fault => ({
      key: `${run.id}/${node.id}/${node.iteration}/${node.attempt}`,
      node: node.id,
      text: text(record(node.error).message) || "It failed.",
    }));
  const error = run.error as { message?: string; node_id?: string | null } | null | undefined;
  if (!faults.length && run.status === "failed")
    faults.push({
      key: `${run.id}/run`,
      node: error?.node_id ?? null,
      text: error?.message ?? "The run failed.",
    });
  return faults;
}
