// One line of the chat: what the customer said, what the workflow sent with its buttons, what failed, or a remark.
import { TriangleAlert } from "lucide-react";

import { cx } from "../ui/cx";
import type { Tap } from "./messages";
import type { Line } from "./phone";
import { Sent } from "./Sent";

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
