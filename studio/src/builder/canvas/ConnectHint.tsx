// While an edge is being drawn: whether it can end where the pointer is, and why not.
import { useConnection } from "@xyflow/react";

import { canConnect } from "../../graph/connect";
import { MAIN, nameOf, nodeById } from "../../graph/document";
import { cx } from "../../ui/cx";
import { useBuilder } from "../context";
import { documentOf } from "../store";

export function ConnectHint() {
  const builder = useBuilder();
  const { inProgress, fromHandle, toHandle } = useConnection();
  if (!inProgress || !fromHandle) return null;
  let text = "Drop on an input, on a node, or on the canvas to add what comes next";
  let isBad = false;
  if (toHandle && toHandle.nodeId) {
    const [output, input] = fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
    const document = documentOf(builder);
    const target = nodeById(document, input.nodeId);
    const verdict =
      fromHandle.type === toHandle.type
        ? ({ ok: false, reason: "An edge leads from an output to an input." } as const)
        : canConnect(
            document,
            builder.getState().catalogue,
            { node: output.nodeId, port: output.id ?? MAIN },
            { node: input.nodeId, port: input.id ?? MAIN },
          );
    isBad = !verdict.ok;
    text = verdict.ok ? `Leads to “${target ? nameOf(target) : input.nodeId}”` : verdict.reason;
  }
  return (
    <div
      role="status"
      className={cx(
        "pointer-events-none max-w-md rounded-md border px-3 py-1.5 text-xs shadow-sm",
        isBad ? "border-bad bg-surface text-bad" : "border-line bg-surface text-muted",
      )}
    >
      {text}
    </div>
  );
}
