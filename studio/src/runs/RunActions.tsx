// What can be done with a run. Must not know how a run is shown.
import { useQueryClient } from "@tanstack/react-query";
import { Ban, CheckCheck, GitCompare, PencilRuler, RotateCw } from "lucide-react";
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button, ButtonLink } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";
import { ReplayDialog } from "./ReplayDialog";
import { runKey } from "./useRun";
import { runLists } from "./useLiveRuns";
import { isOver } from "./words";

type RunView = Schema<"RunView">;

/** Shows the run that an action answered, and has lists read again. */
export function useShowRun() {
  const client = useQueryClient();
  return (run: RunView | undefined) => {
    if (run) client.setQueryData(runKey(run.id), run);
    void client.invalidateQueries(runLists);
  };
}

export function RunActions({ run }: { run: RunView }) {
  const may = useMay();
  const show = useShowRun();
  const [dialog, setDialog] = useState<"cancel" | "replay" | null>(null);
  const options = { params: { path: { id: run.id } } };
  const acting = useSubmit(async (what: "retry" | "acknowledge") => {
    try {
      const { data } =
        what === "retry"
          ? await api.POST("/api/runs/{id}/retry", options)
          : await api.POST("/api/runs/{id}/acknowledge", options);
      show(data);
    } catch (error) {
      toast.error(error);
    }
  });
  const mayWrite = may("run:write");
  return (
    <>
      {may("workflow:read") && (
        <ButtonLink
          to={`/workflows/${run.workflow_id}?run=${run.id}`}
          icon={<PencilRuler size={14} aria-hidden />}
        >
          Open in the builder
        </ButtonLink>
      )}
      {mayWrite && run.attention && isOver(run) && (
        <Button
          icon={<CheckCheck size={14} aria-hidden />}
          busy={acting.isBusy}
          onClick={() => void acting.run("acknowledge")}
        >
          Acknowledge
        </Button>
      )}
      {mayWrite && isOver(run) && (
        <Button icon={<GitCompare size={14} aria-hidden />} onClick={() => setDialog("replay")}>
          Replay
        </Button>
      )}
      {mayWrite && (run.status === "failed" || run.status === "cancelled") && (
        <Button
          look="primary"
          icon={<RotateCw size={14} aria-hidden />}
          busy={acting.isBusy}
          onClick={() => void acting.run("retry")}
        >
          Retry from where it failed
        </Button>
      )}
      {mayWrite && !isOver(run) && (
        <Button look="danger" icon={<Ban size={14} aria-hidden />} onClick={() => setDialog("cancel")}>
          Cancel
        </Button>
      )}
      <Confirm
        isOpen={dialog === "cancel"}
        onClose={() => setDialog(null)}
        title="Cancel this run?"
        action="Cancel the run"
        isDangerous
        onConfirm={async () => show((await api.POST("/api/runs/{id}/cancel", options)).data)}
      >
        It ends where it is, and so do the runs that it called and waits for. What it has done stays done.
      </Confirm>
      {dialog === "replay" && <ReplayDialog run={run} onClose={() => setDialog(null)} />}
    </>
  );
}
