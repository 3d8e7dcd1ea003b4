// A workflow taken from a file or pasted text, in place of the draft or into it.
import { useReactFlow } from "@xyflow/react";
import { useState } from "react";

import type { WorkflowDocument } from "../../graph/document";
import { pastedJson } from "../../json";
import { Button } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { FileInput } from "../../ui/Input";
import { ErrorNote } from "../../ui/Note";
import { toast } from "../../ui/Toast";
import { counted } from "../../ui/words";
import { pasteText } from "../commands";
import { useBuilder } from "../context";
import { findProblems } from "../remote";
import { documentOf, edit } from "../store";

/** Problems of a document that lacks its parts: such a one can be neither drawn nor saved. */
const SHAPE = new Set(["missing_field", "wrong_type"]);
/** How long the server may take to look at a document, milliseconds. */
const PATIENCE = 20_000;

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const flow = useReactFlow();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const attempt = async (action: () => void | Promise<void>) => {
    setBusy(true);
    setFault(null);
    try {
      await action();
      onClose();
    } catch (error) {
      setFault(error);
    }
    setBusy(false);
  };
  const replace = () =>
    attempt(async () => {
      const read = documentIn(text);
      // The server says what a document must have; what is none must not come onto the canvas.
      const problems = await findProblems(
        { ...read, edges: read.edges ?? [] },
        AbortSignal.timeout(PATIENCE),
      );
      const broken = problems.filter((problem) => SHAPE.has(problem.code));
      if (broken.length) throw new Error(`This is no workflow: ${broken[0]?.message} (${broken[0]?.path}).`);
      const { name } = documentOf(builder);
      // The name tells workflows apart, so the draft keeps its own.
      edit(builder, () => ({ ...read, edges: read.edges ?? [], name }));
      if (problems.length) builder.setState({ dock: "problems" });
      // After the dock has taken its room.
      setTimeout(() => void flow.fitView({ maxZoom: 1, padding: 0.2 }), 60);
      toast.done(problems.length ? `Imported, with ${counted(problems.length, "problem")}.` : "Imported.");
    });
  const add = () =>
    attempt(() => {
      documentIn(text);
      if (!pasteText(builder, text)) throw new Error("The text holds no nodes.");
    });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="wide"
      title="Import into this draft"
      description="A workflow as JSON, from a file or pasted. Undo brings the draft back."
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button disabled={!text.trim()} onClick={() => void add()}>
            Add its nodes
          </Button>
          <Button look="primary" busy={isBusy} disabled={!text.trim()} onClick={() => void replace()}>
            Replace the draft
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field label="From a file">
          {(ids) => (
            <FileInput
              {...ids}
              accept=".json,application/json"
              onChange={async (event) => setText((await event.target.files?.[0]?.text()) ?? text)}
            />
          )}
        </Field>
        <Field label="Or pasted">
          {(ids) => (
            <CodeEditor
              id={ids.id}
              label="Document to import"
              language="json"
              value={text}
              onChange={setText}
              minHeight="12rem"
              maxHeight="45vh"
            />
          )}
        </Field>
        <ErrorNote error={fault} />
      </div>
    </Dialog>
  );
}

/** The one workflow that a text holds; throws in words when it holds none, or several. */
function documentIn(text: string): WorkflowDocument {
  const read = pastedJson(text);
  if (Array.isArray(read) && read.length > 1)
    throw new Error(`These are ${read.length} workflows. Import them in the list of workflows.`);
  const document = (Array.isArray(read) ? read[0] : read) as WorkflowDocument | null | undefined;
  if (!Array.isArray(document?.nodes)) throw new Error("This is no workflow: it has no list of nodes.");
  return document;
}
