// An effect of which nobody knows whether it took place: what is known, and the answer of a person.
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Select, TextArea } from "../ui/Input";
import { ErrorNote, Note } from "../ui/Note";
import { useSubmit } from "../ui/useSubmit";
import { useShowRun } from "./RunActions";
import type { NodeRun } from "./words";

type Outcome = Schema<"OutcomeView">;
type Decision = Schema<"OutcomeDecision">;

const DECISIONS: { id: Decision; text: string }[] = [
  { id: "done", text: "It took place: go on" },
  { id: "retry", text: "It did not take place: do it now" },
  { id: "fail", text: "Let it count as failed" },
];

export function OutcomeNote({ outcome }: { outcome: Outcome }) {
  if (outcome.is_open) {
    return <Note tone="bad">Nobody knows whether this effect took place. Look there, then say it here.</Note>;
  }
  return (
    <Note>
      Settled as “{outcome.decision}” by {outcome.who ?? outcome.settled_by}
      {outcome.note && `: ${outcome.note}`}
    </Note>
  );
}

export function OutcomeForm({ runId, node }: { runId: string; node: NodeRun }) {
  const mayWrite = useMay()("run:write");
  const show = useShowRun();
  const [decision, setDecision] = useState<Decision>("done");
  const [note, setNote] = useState("");
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/runs/{id}/outcome", {
      params: { path: { id: runId } },
      body: { node: node.id, iteration: node.iteration, decision, note: note || null },
    });
    show(data);
  });
  if (!mayWrite) return null;
  return (
    <form onSubmit={form.onSubmit} className="flex flex-col gap-2 rounded-md border border-line p-3">
      <Field label="What became of it">
        {(ids) => (
          <Select {...ids} value={decision} onChange={(event) => setDecision(event.target.value as Decision)}>
            {DECISIONS.map((one) => (
              <option key={one.id} value={one.id}>
                {one.text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Note">
        {(ids) => (
          <TextArea
            {...ids}
            maxLength={4000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      <ErrorNote error={form.error} />
      <Button type="submit" look="primary" busy={form.isBusy} className="self-end">
        Settle it
      </Button>
    </form>
  );
}
