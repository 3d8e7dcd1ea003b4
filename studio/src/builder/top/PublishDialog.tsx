// Publishing: what is wrong is shown before it is tried; afterwards, what starts the workflow from now on.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, ApiError, type Schema } from "../../api/client";
import type { Problem } from "../../graph/document";
import { hasErrors, sorted } from "../../graph/problems";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote, Note } from "../../ui/Note";
import { useBuilder, useBuilderState } from "../context";
import { save } from "../save/saving";
import { useShowProblem } from "../ProblemsPanel";

type Published = Schema<"Published">;

export function PublishDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const client = useQueryClient();
  const known = useBuilderState((state) => state.problems);
  const id = useBuilderState((state) => state.id);
  const [fault, setFault] = useState<unknown>(null);
  const [published, setPublished] = useState<Published | null>(null);
  const [isBusy, setBusy] = useState(false);
  const refused = fault instanceof ApiError && (fault.details?.problems as Problem[] | undefined);
  const problems = refused || known;
  const publish = async () => {
    setBusy(true);
    setFault(null);
    try {
      if (!(await save(builder)))
        throw new Error(builder.getState().saveError ?? "The draft is not saved yet.");
      const { data } = await api.POST("/api/workflows/{id}/publish", { params: { path: { id } } });
      setPublished(data ?? null);
      if (data) builder.setState({ publishedVersion: data.version });
      await client.invalidateQueries({ queryKey: ["get", "/api/workflows/{id}/versions"] });
      await client.invalidateQueries({ queryKey: ["get", "/api/workflows"] });
    } catch (error) {
      setFault(error);
    }
    setBusy(false);
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={published ? `Version ${published.version} is active` : "Publish"}
      description={
        published
          ? undefined
          : "The draft is frozen as a version, and its triggers become active. Runs under way keep their version."
      }
      actions={
        published ? (
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" busy={isBusy} disabled={hasErrors(known)} onClick={() => void publish()}>
              Publish
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-3">
        {!refused && <ErrorNote error={fault} />}
        {published ? (
          <Triggers triggers={published.triggers} />
        ) : hasErrors(problems) ? (
          <Note tone="bad">These errors must be mended first.</Note>
        ) : (
          <Note>
            {problems.length
              ? "It can be published; look at the warnings first."
              : "Nothing is wrong with the draft."}
          </Note>
        )}
        <ProblemLines problems={published ? published.problems : problems} onShow={onClose} />
      </div>
    </Dialog>
  );
}

function ProblemLines({ problems, onShow }: { problems: readonly Problem[]; onShow: () => void }) {
  const show = useShowProblem();
  return (
    <ul className="flex flex-col gap-1 text-sm">
      {sorted(problems).map((problem) => (
        <li key={problem.code + problem.path}>
          <button
            type="button"
            className={`text-left hover:underline ${problem.severity === "error" ? "text-bad" : "text-warn"}`}
            onClick={() => {
              onShow();
              show(problem);
            }}
          >
            {problem.message}
          </button>
        </li>
      ))}
    </ul>
  );
}

const Triggers = ({ triggers }: { triggers: Published["triggers"] }) => (
  <ul className="flex flex-col gap-2 text-sm">
    {triggers.map((trigger) => (
      <li key={trigger.node} className="rounded-md border border-line p-2">
        <b className="font-medium">{trigger.node}</b>{" "}
        <span className="text-muted">starts by {trigger.source}</span>
        {trigger.topic && <span className="text-muted"> {trigger.topic}</span>}
        {trigger.url && (
          <span className="mt-1 flex items-center gap-1">
            <code className="min-w-0 flex-1 text-xs break-all">{trigger.url}</code>
            <CopyButton text={trigger.url} label="Copy the address" />
          </span>
        )}
      </li>
    ))}
    {triggers.length === 0 && <li className="text-muted">Nothing starts it by itself.</li>}
  </ul>
);
