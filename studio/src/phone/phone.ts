// The conversation on the phone, kept while its workflow is open: what was said by whom, and saying more. Must not know
// components.
import { createStore, type StoreApi } from "zustand";

import { ApiError } from "../api/client";
import type { RunView } from "../graph/runStates";
import type { MarksStore } from "../builder/marks";
import { answerRun, runDraft } from "../builder/run/testRun";
import { documentOf, type Builder } from "../builder/store";
import { bubblesOf, type Bubble } from "./bubbles";
import {
  chatTriggers,
  eventOf,
  faultsOf,
  waitsForReply,
  wordsOf,
  type Customer,
  type Fault,
  type Said,
} from "./messages";

export type Line =
  | { who: "customer"; key: string; text: string; kind: Said["kind"] }
  | { who: "workflow"; key: string; bubble: Bubble }
  | { who: "fault"; key: string; fault: Fault }
  | { who: "note"; key: string; text: string };

export type PhoneState = { lines: Line[]; customer: Customer; conversation: string; isBusy: boolean };
export type Phone = StoreApi<PhoneState>;

const phones = new WeakMap<Builder, Phone>();

const fresh = () => ({ lines: [], conversation: `phone-${crypto.randomUUID().slice(0, 8)}`, isBusy: false });

/** The phone of an open workflow; it hears of every run that is read. */
export function phoneOf(builder: Builder): Phone {
  const known = phones.get(builder);
  if (known) return known;
  const phone = createStore<PhoneState>(() => ({
    ...fresh(),
    customer: { name: "Asha Rao", phone: "919876543210" },
  }));
  phones.set(builder, phone);
  builder.subscribe((state, before) => {
    // Runs that others started are looked at here too, but they are not this conversation.
    if (state.run && state.run !== before.run && state.run.id === state.live?.id) hear(phone, state.run);
  });
  return phone;
}

export const beginAgain = (phone: Phone) => phone.setState(fresh());

const add = (phone: Phone, lines: Line[]) =>
  phone.setState((state) => ({ lines: [...state.lines, ...lines] }));
const note = (phone: Phone, text: string) => add(phone, [{ who: "note", key: crypto.randomUUID(), text }]);

/** Shows what a run sent and failed with, each once. */
function hear(phone: Phone, run: RunView) {
  const known = new Set(phone.getState().lines.map((line) => line.key));
  const lines: Line[] = [
    ...bubblesOf(run).map((bubble): Line => ({ who: "workflow", key: bubble.key, bubble })),
    ...faultsOf(run).map((fault): Line => ({ who: "fault", key: fault.key, fault })),
  ];
  add(
    phone,
    lines.filter((line) => !known.has(line.key)),
  );
}

/** The customer says something: the run that waits for it goes on, or a new one begins. */
export async function say(builder: Builder, marks: MarksStore, said: Said): Promise<void> {
  const phone = phoneOf(builder);
  const { customer, conversation, lines } = phone.getState();
  const { catalogue, live, run } = builder.getState();
  const triggers = chatTriggers(documentOf(builder), catalogue);
  const isFirst = !lines.some((line) => line.who === "customer");
  const event = eventOf(said, triggers[0], catalogue, customer, { id: conversation, isFirst }, Date.now());
  add(phone, [{ who: "customer", key: crypto.randomUUID(), text: wordsOf(said), kind: said.kind }]);
  phone.setState({ isBusy: true });
  try {
    const waiting = live?.status === "waiting" && run?.id === live.id ? waitsForReply(run) : undefined;
    if (waiting && live?.id) await answerRun(builder, live.id, event, waiting.id);
    else await begin(builder, marks, phone, event);
  } catch (error) {
    note(phone, error instanceof Error ? error.message : String(error));
  }
  phone.setState({ isBusy: false });
}

/** Asks the triggers one after the other, as the server does, until one takes the message. */
async function begin(builder: Builder, marks: MarksStore, phone: Phone, event: unknown) {
  const { catalogue, isReal, pins } = builder.getState();
  const triggers = chatTriggers(documentOf(builder), catalogue);
  if (!triggers.length)
    return note(phone, "No node of this workflow takes a customer's message. Add such a trigger first.");
  for (const trigger of triggers) {
    try {
      await runDraft(builder, marks, { node: trigger.id, trigger: event, pins, dry_run: !isReal });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "trigger_declined") throw error;
    }
  }
  note(phone, "No trigger of this workflow takes this message, so nothing answers it.");
}
