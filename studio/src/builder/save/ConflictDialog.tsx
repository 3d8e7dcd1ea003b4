// Somebody else saved the same draft. Both sides' changes are shown; where both changed the same part, a person chooses.
// Nothing is lost: what is not chosen can be had back by undoing, or from a copy.
import { useMemo, useState } from "react";

import { compare, type Clash, type Side } from "../../graph/merge";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Note } from "../../ui/Note";
import { toast } from "../../ui/Toast";
import { fileName, save as saveFile } from "../../api/download";
import { useBuilder, useBuilderState, useDocument } from "../context";
import { ChangeLine, ChangeList } from "../versions/ChangeList";
import { jsonText } from "../../json";
import { adopt, settleConflict } from "./saving";

export function ConflictDialog() {
  const theirs = useBuilderState((state) => state.theirs);
  return theirs ? <Conflict /> : null;
}

function Conflict() {
  const builder = useBuilder();
  const mine = useDocument();
  const base = useBuilderState((state) => state.saved);
  const theirs = useBuilderState((state) => state.theirs);
  const [choices, setChoices] = useState(new Map<string, Side>());
  const [isBusy, setBusy] = useState(false);
  const [isAway, setAway] = useState(false);
  const merge = useMemo(() => (theirs ? compare(base, mine, theirs.document) : null), [base, mine, theirs]);
  if (!theirs || !merge) return null;
  if (isAway)
    return (
      <div className="fixed bottom-4 left-1/2 z-30 -translate-x-1/2">
        <Note
          tone="warn"
          action={
            <Button size="small" onClick={() => setAway(false)}>
              Bring together
            </Button>
          }
        >
          Not saved: somebody else saved this workflow.
        </Note>
      </div>
    );
  const keep = async (with_: ReadonlyMap<string, Side>) => {
    setBusy(true);
    if (await settleConflict(builder, with_)) toast.done("Both are saved.");
    setBusy(false);
  };
  const takeTheirs = () => {
    saveFile(
      new Blob([jsonText(mine, 2)], { type: "application/json" }),
      fileName(`${mine.name} mine`, "json"),
    );
    adopt(builder, theirs);
    toast.say("Theirs is shown. Your draft was saved as a file, and undo brings it back.");
  };
  return (
    <Dialog
      isOpen
      onClose={() => setAway(true)}
      width="wide"
      title="Somebody else saved this workflow"
      description={`Revision ${theirs.revision} was saved while you were editing. Nothing was overwritten.`}
      actions={
        <>
          <Button onClick={takeTheirs} disabled={isBusy}>
            Only theirs
          </Button>
          <Button look="primary" busy={isBusy} onClick={() => void keep(choices)}>
            Bring together and save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {merge.clashes.length > 0 && (
          <section aria-label="Both changed">
            <h3 className="mb-1 text-sm font-semibold">Both changed the same: choose</h3>
            <ul className="flex flex-col gap-2">
              {merge.clashes.map((clash) => (
                <ClashChoice
                  key={clash.key}
                  clash={clash}
                  side={choices.get(clash.key) ?? "mine"}
                  onChoose={(side) => setChoices(new Map(choices).set(clash.key, side))}
                />
              ))}
            </ul>
          </section>
        )}
        <div className="grid gap-4 sm:grid-cols-2">
          <section aria-label="Yours">
            <h3 className="mb-1 text-sm font-semibold">What you changed</h3>
            <ChangeList changes={merge.mine} />
          </section>
          <section aria-label="Theirs">
            <h3 className="mb-1 text-sm font-semibold">What they changed</h3>
            <ChangeList changes={merge.theirs} />
          </section>
        </div>
      </div>
    </Dialog>
  );
}

type ChoiceProps = { clash: Clash; side: Side; onChoose: (side: Side) => void };

const ClashChoice = ({ clash, side, onChoose }: ChoiceProps) => (
  <li>
    <fieldset className="rounded-md border border-warn/40 p-2">
      <legend className="px-1 text-sm font-medium">{clash.title}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {(["mine", "theirs"] as const).map((one) => {
          const change = clash[one];
          return (
            <label
              key={one}
              className="flex items-start gap-2 rounded-md p-1 border border-transparent has-checked:border-accent"
            >
              <input
                type="radio"
                name={clash.key}
                checked={side === one}
                onChange={() => onChoose(one)}
                className="mt-1"
              />
              <span className="min-w-0 flex-1">
                <span className="text-xs font-semibold">{one === "mine" ? "Yours" : "Theirs"}</span>
                {change && <ChangeLine change={change} />}
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  </li>
);
