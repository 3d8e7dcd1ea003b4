// Brings workflows in, from files or from pasted text, and says what became of each.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api, type Schema } from "../api/client";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { CodeEditor } from "../ui/CodeEditor";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Checkbox, FileInput } from "../ui/Input";
import { ErrorNote } from "../ui/Note";
import { useSubmit } from "../ui/useSubmit";
import { counted } from "../ui/words";
import { pastedJson } from "../json";
import { workflowLists } from "./lists";

type WorkflowDocument = Schema<"WorkflowDocument">;

/** A file may hold one document or a list of them; several files make one list. */
function read(texts: string[]): WorkflowDocument[] {
  return texts.flatMap((text) => pastedJson(text) as WorkflowDocument | WorkflowDocument[]);
}

export function ImportDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const [isReplacing, setReplacing] = useState(false);
  const [imported, setImported] = useState<Schema<"Imported">[] | null>(null);
  const client = useQueryClient();
  const form = useSubmit(async (texts: string[]) => {
    const { data } = await api.POST("/api/workflows/import", {
      params: { query: { replace: isReplacing } },
      body: read(texts),
    });
    setImported(data?.items ?? []);
    await client.invalidateQueries(workflowLists);
  });
  const close = () => {
    setImported(null);
    setText("");
    form.clear();
    onClose();
  };
  const takeFiles = async (files: FileList | null) => {
    if (files?.length) await form.run(await Promise.all([...files].map((file) => file.text())));
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title="Import workflows"
      description="Documents in JSON, as an export writes them. They become drafts; nothing is published."
      actions={
        imported ? (
          <Button look="primary" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button
              look="primary"
              busy={form.isBusy}
              disabled={!text.trim()}
              onClick={() => void form.run([text])}
            >
              Import what is pasted
            </Button>
          </>
        )
      }
    >
      {imported ? (
        <Outcome imported={imported} />
      ) : (
        <div className="flex flex-col gap-3">
          <Field label="From files">
            {(ids) => (
              <FileInput
                {...ids}
                accept=".json,application/json"
                multiple
                onChange={(event) => void takeFiles(event.target.files)}
              />
            )}
          </Field>
          <Field label="Or pasted">
            {(ids) => (
              <CodeEditor
                id={ids.id}
                label="Documents to import"
                language="json"
                value={text}
                onChange={setText}
                minHeight="10rem"
                maxHeight="40vh"
              />
            )}
          </Field>
          <Checkbox
            label="Save over drafts with the same name"
            hint="Otherwise a name that is in use gets a number."
            checked={isReplacing}
            onChange={setReplacing}
          />
          <ErrorNote error={form.error} />
        </div>
      )}
    </Dialog>
  );
}

const Outcome = ({ imported }: { imported: Schema<"Imported">[] }) => (
  <ul className="flex flex-col gap-2 text-sm">
    {imported.map((one) => (
      <li key={one.id} className="flex flex-wrap items-center gap-2">
        <Link to={`/workflows/${one.id}`} className="font-medium underline underline-offset-2">
          {one.name}
        </Link>
        <Badge tone="ok">{one.replaced ? "saved over" : "made"}</Badge>
        {one.problems.length > 0 && <Badge tone="warn">{counted(one.problems.length, "problem")}</Badge>}
      </li>
    ))}
  </ul>
);
