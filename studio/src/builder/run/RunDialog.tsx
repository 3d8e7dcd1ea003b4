// Asks for the trigger and the event of a test run.
import { useState } from "react";

import { nameOf, type NodeDoc } from "../../graph/document";
import { Button } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Checkbox, Select } from "../../ui/Input";
import { Note } from "../../ui/Note";
import { useBuilder, useBuilderState } from "../context";
import { edit } from "../store";
import { jsonText, parseJson } from "../../json";
import { useRunActions } from "./useRunActions";

export function RunDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const isReal = useBuilderState((state) => state.isReal);
  const pins = useBuilderState((state) => state.pins);
  const actions = useRunActions();
  const triggers = actions.triggers();
  const eventText = (trigger: NodeDoc | undefined) => (trigger ? jsonText(actions.event(trigger), 2) : "{}");
  const [trigger, setTrigger] = useState(triggers[0]);
  const [text, setText] = useState(() => eventText(triggers[0]));
  const [isKept, setKept] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const start = () => {
    let event: unknown;
    try {
      event = text.trim() ? parseJson(text) : {};
    } catch {
      return setBroken(true);
    }
    if (isKept && trigger)
      edit(builder, (document) => ({
        ...document,
        fixtures: { ...document.fixtures, [trigger.id]: [{ json: event }] },
      }));
    onClose();
    void actions.start(trigger, event, pins);
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Run with an event"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={!trigger} onClick={start}>
            Run
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {!trigger && <Note tone="warn">A run begins with a trigger; add one first.</Note>}
        <Field label="Trigger">
          {(ids) => (
            <Select
              {...ids}
              value={trigger?.id}
              onChange={(event) => {
                const next = triggers.find((one) => one.id === event.target.value);
                setTrigger(next);
                setText(eventText(next));
              }}
            >
              {triggers.map((one) => (
                <option key={one.id} value={one.id}>
                  {nameOf(one)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="The event, as JSON" error={isBroken ? "This is no JSON." : undefined}>
          {(ids) => (
            <CodeEditor
              id={ids.id}
              label="The event, as JSON"
              language="json"
              value={text}
              minHeight="10rem"
              maxHeight="40vh"
              onChange={(next) => {
                setText(next);
                setBroken(false);
              }}
            />
          )}
        </Field>
        <Checkbox label="Keep it as the trigger's sample" checked={isKept} onChange={setKept} />
        {Object.keys(pins).length > 0 && (
          <Note>Pinned outputs are used: {Object.keys(pins).join(", ")}.</Note>
        )}
        {isReal ? (
          <Note tone="bad">Real effects are on: messages are sent, requests are made.</Note>
        ) : (
          <Note>Nothing happens outside: messages are only checked.</Note>
        )}
      </div>
    </Dialog>
  );
}
