// What is said on the phone, as the server has it: a customer's message becomes an event; what a run waits for and what
// went wrong in it. What it sent is in `bubbles`. Must not know React, nor any node type by name.
import type { Catalogue } from "../graph/catalogue";
import type { NodeDoc, WorkflowDocument } from "../graph/document";
import type { NodeRun, RunView } from "../graph/runStates";

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
