// One line of the chat: what the customer said, what the workflow sent with its buttons, what failed, or a remark.
import { FileText, MapPin, TriangleAlert } from "lucide-react";

import { cx } from "../ui/cx";
import type { Bubble, Tap } from "./messages";
import type { Line } from "./phone";

type Props = {
  line: Line;
  isLast: boolean;
  onTap: (tap: Tap) => void;
  onShow: (node: string) => void;
  /** What people call a node. */
  nameOf: (node: string) => string;
};

const box = "max-w-[85%] rounded-2xl px-3 py-2 text-sm break-words shadow-sm";

export function ChatLine({ line, isLast, onTap, onShow, nameOf }: Props) {
  if (line.who === "note")
    return <p className="self-center px-4 text-center text-xs text-muted">{line.text}</p>;
  if (line.who === "customer")
    return (
      <div className={cx(box, "self-end rounded-br-sm bg-accent text-on-accent")}>
        <span className="sr-only">Customer: </span>
        {line.text}
      </div>
    );
  if (line.who === "fault")
    return (
      <div
        role="alert"
        className={cx(box, "flex items-start gap-2 self-start border border-bad/40 bg-bad/10")}
      >
        <TriangleAlert size={15} className="mt-0.5 shrink-0 text-bad" aria-hidden />
        <span className="min-w-0">
          {line.fault.text}{" "}
          {line.fault.node && (
            <button
              type="button"
              className="font-medium text-bad underline underline-offset-2"
              onClick={() => onShow(line.fault.node ?? "")}
            >
              Show “{nameOf(line.fault.node)}”
            </button>
          )}
        </span>
      </div>
    );
  return <Sent bubble={line.bubble} isLast={isLast} onTap={onTap} onShow={onShow} nameOf={nameOf} />;
}

type SentProps = Omit<Props, "line"> & { bubble: Bubble };

function Sent({ bubble, isLast, onTap, onShow, nameOf }: SentProps) {
  const { header, text, footer, link, place, taps, listTitle } = bubble;
  const buttons = taps.map((tap) => (
    <button
      key={`${tap.id}/${tap.title}`}
      type="button"
      onClick={() => onTap(tap)}
      className="rounded-lg border border-line bg-surface px-3 py-1.5 text-left text-sm text-accent hover:bg-raised"
    >
      {tap.title}
      {tap.description && <span className="block text-xs text-muted">{tap.description}</span>}
    </button>
  ));
  return (
    <div className="flex max-w-[85%] flex-col gap-1 self-start" data-bubble={bubble.node}>
      <div className="rounded-2xl rounded-bl-sm border border-line bg-surface px-3 py-2 text-sm break-words whitespace-pre-wrap shadow-sm">
        <span className="sr-only">Workflow: </span>
        {header && <b className="block font-semibold">{header}</b>}
        {link && (
          <span className="mb-1 flex items-center gap-1 text-xs text-muted">
            <FileText size={14} aria-hidden /> <span className="break-all">{link}</span>
          </span>
        )}
        {place && (
          <span className="flex items-center gap-1">
            <MapPin size={14} aria-hidden /> {place.name ?? `${place.latitude}, ${place.longitude}`}
          </span>
        )}
        {text}
        {footer && <span className="mt-1 block text-xs text-muted">{footer}</span>}
        <button
          type="button"
          className="mt-1 block text-[11px] text-muted underline-offset-2 hover:underline"
          onClick={() => onShow(bubble.node)}
        >
          {nameOf(bubble.node)}
        </button>
      </div>
      {taps.length > 0 &&
        (listTitle ? (
          <details open={isLast} className="rounded-lg border border-line bg-surface">
            <summary className="cursor-pointer px-3 py-1.5 text-sm text-accent">{listTitle}</summary>
            <div className="flex flex-col gap-1 p-1.5">{buttons}</div>
          </details>
        ) : (
          <div className="flex flex-col gap-1">{buttons}</div>
        ))}
    </div>
  );
}
