// One node as it is drawn from far away: a box in its type's colour that tells how its run stands and whether something is
// wrong. One element, because hundreds of them are in sight at once. Must not know any type by name.
import type { NodeType } from "../../graph/catalogue";
import { nameOf, type NodeDoc } from "../../graph/document";
import type { NodeState } from "../../graph/runStates";
import { cx } from "../../ui/cx";
import { useMarks } from "../marks";
import { lookOf } from "./look";

const colours: Partial<Record<NodeState["status"], string>> = {
  running: "border-busy bg-busy/40",
  waiting: "border-warn bg-warn/40",
  succeeded: "border-ok bg-ok/40",
  failed: "border-bad bg-bad/60",
  skipped: "border-dashed border-line opacity-60",
  cancelled: "border-dashed border-line opacity-60",
};

type FarStepProps = { id: string; node: NodeDoc; type: NodeType | undefined; isSelected: boolean };

export function FarStep({ id, node, type, isSelected }: FarStepProps) {
  const status = useMarks((marks) => marks.states[id]?.status);
  const isWrong = useMarks((marks) => Boolean(marks.problems.get(id)?.errors));
  return (
    <div
      data-status={status}
      title={nameOf(node)}
      className={cx(
        "h-full w-full rounded-lg border-2",
        (status && colours[status]) ?? lookOf(type).box,
        isWrong && "border-bad",
        isSelected && "outline-4 outline-accent",
        node.disabled && "border-dashed opacity-60",
      )}
    />
  );
}
