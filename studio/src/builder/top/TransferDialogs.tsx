// The workflow as JSON: shown and saved as a file, or taken from a file or pasted text, in place of the draft or into it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { download, fileName } from "../../api/download";
import { errorOf, send } from "../../api/client";
import type { WorkflowDocument } from "../../graph/document";
import { Button } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { CopyButton } from "../../ui/Copy";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { ErrorNote } from "../../ui/Note";
import { Loading } from "../../ui/Spinner";
import { toast } from "../../ui/Toast";
import { pasteText } from "../commands";
import { useBuilder, useBuilderState } from "../context";
import { save } from "../save/saving";
import { documentOf, edit } from "../store";
import { parseJson } from "../../json";

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const id = useBuilderState((state) => state.id);
  const { name } = documentOf(builder);
  const path = `/api/workflows/${id}/export`;
  const { data, error } = useQuery({
    queryKey: ["export", id],
    gcTime: 0,
    queryFn: async () => {
      // The server writes the document; it has what is drawn only when that is saved.
      await save(builder);
      const answer = await send(new Request(new URL(path, location.origin)));
      if (!answer.ok) throw await errorOf(answer);
      return answer.text();
    },
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="wide"
      title="Export"
      description="The draft as a document. It holds no secrets: credentials are named, not copied."
      actions={
        <Button
          look="primary"
          disabled={!data}
          onClick={() => void download(path, fileName(name, "json")).catch(toast.error)}
        >
          Save as file
        </Button>
      }
    >
      <ErrorNote error={error} />
      {!data && !error && <Loading />}
      {data && (
        <div className="flex items-start gap-1">
          <CodeEditor
            label="The document"
            language="json"
            value={data}
            isReadOnly
            maxHeight="55vh"
            className="flex-1"
          />
          <CopyButton text={data} label="Copy the document" />
        </div>
      )}
    </Dialog>
  );
}

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const attempt = (action: () => void) => {
    try {
      action();
      onClose();
    } catch (error) {
      setFault(error);
    }
  };
  const replace = () =>
    attempt(() => {
      const read = parseJson(text) as WorkflowDocument;
      if (!Array.isArray(read?.nodes)) throw new Error("This is no workflow: it has no list of nodes.");
      const { name } = documentOf(builder);
      // The name tells workflows apart, so the draft keeps its own.
      edit(builder, () => ({ ...read, edges: read.edges ?? [], name }));
    });
  const add = () =>
    attempt(() => {
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
          <Button disabled={!text.trim()} onClick={add}>
            Add its nodes
          </Button>
          <Button look="primary" disabled={!text.trim()} onClick={replace}>
            Replace the draft
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field label="From a file">
          {(ids) => (
            <input
              {...ids}
              type="file"
              accept=".json,application/json"
              className="text-sm"
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
