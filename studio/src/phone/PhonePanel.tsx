// The test phone: a chat with the draft. The canvas lights while it answers; what fails is told in the chat, with the way
// to the node. Must not know node types.
import { RotateCcw } from "lucide-react";
import { use, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";

import { useBuilder, useBuilderState, useDocument } from "../builder/context";
import { MarksContext } from "../builder/marks";
import { EffectsQuestion } from "../builder/run/EffectsQuestion";
import { openNode, select } from "../builder/store";
import { nameOf, nodeById } from "../graph/document";
import { IconButton } from "../ui/Button";
import { Checkbox } from "../ui/Input";
import { ChatLine } from "./ChatLine";
import { Composer } from "./Composer";
import { waitsForReply } from "./messages";
import { beginAgain, phoneOf, say } from "./phone";

export default function PhonePanel() {
  const builder = useBuilder();
  const marks = use(MarksContext);
  const phone = phoneOf(builder);
  const { lines, customer, isBusy } = useStore(phone);
  const live = useBuilderState((state) => state.live);
  const run = useBuilderState((state) => state.run);
  const isReal = useBuilderState((state) => state.isReal);
  const document = useDocument();
  const [isAsking, setAsking] = useState(false);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // jsdom and old browsers know no scrolling into view.
    end.current?.scrollIntoView?.({ block: "end" });
  }, [lines.length, live?.status]);
  if (!marks) throw new Error("the phone needs <MarksContext>");
  const show = (node: string) => {
    select(builder, [node]);
    openNode(builder, node, "/data");
  };
  const name = (id: string) => {
    const node = nodeById(document, id);
    return node ? nameOf(node) : id;
  };
  const last = lines.at(-1);
  return (
    <section aria-label="Test phone" className="flex min-h-0 flex-1 flex-col">
      <header className="flex items-center gap-2 border-b border-line px-3 py-2">
        <span
          aria-hidden
          className="flex size-7 items-center justify-center rounded-full bg-accent/15 text-xs font-semibold text-accent"
        >
          {customer.name.charAt(0)}
        </span>
        <input
          aria-label="Name of the customer"
          value={customer.name}
          onChange={(event) => phone.setState({ customer: { ...customer, name: event.target.value } })}
          className="min-w-0 flex-1 rounded border border-transparent bg-transparent px-1 text-sm font-medium hover:border-line"
        />
        <IconButton label="Begin a new conversation" size="small" onClick={() => beginAgain(phone)}>
          <RotateCcw size={14} aria-hidden />
        </IconButton>
      </header>
      <div
        role="log"
        aria-label="Conversation"
        tabIndex={0}
        className="flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto bg-ground p-3"
      >
        {lines.length === 0 && (
          <p className="m-auto max-w-60 text-center text-xs text-muted">
            Write as a customer. The draft answers here, and the canvas shows the way it goes.
          </p>
        )}
        {lines.map((line) => (
          <ChatLine
            key={line.key}
            line={line}
            isLast={line === last}
            onTap={(tap) => void say(builder, marks, tap)}
            onShow={show}
            nameOf={name}
          />
        ))}
        <Standing
          status={live?.status}
          isWaitingForReply={Boolean(live?.status === "waiting" && waitsForReply(run))}
          wakeAt={run?.wake_at}
        />
        <div ref={end} />
      </div>
      <Composer isBusy={isBusy} onSay={(said) => void say(builder, marks, said)} />
      <div className="border-t border-line px-3 py-2 text-xs">
        <Checkbox
          label="Real effects"
          hint={
            isReal
              ? "Messages are really sent, requests are really made."
              : "Off: messages are only checked, nothing happens outside."
          }
          checked={isReal}
          onChange={(checked) => (checked ? setAsking(true) : builder.setState({ isReal: false }))}
        />
      </div>
      <EffectsQuestion isOpen={isAsking} onClose={() => setAsking(false)} />
    </section>
  );
}

type StandingProps = { status?: string; isWaitingForReply: boolean; wakeAt?: number | null };

/** What the run is doing, in one line. */
function Standing({ status, isWaitingForReply, wakeAt }: StandingProps) {
  const text =
    status === "starting" || status === "running"
      ? "…"
      : status === "waiting"
        ? isWaitingForReply
          ? "Waits for the next message"
          : wakeAt
            ? `Waits until ${new Date(wakeAt).toLocaleString()}`
            : "Waits for something outside"
        : null;
  return (
    <p role="status" className="self-center text-[11px] text-muted">
      {text}
    </p>
  );
}
