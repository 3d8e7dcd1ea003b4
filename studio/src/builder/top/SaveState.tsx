// Whether the server has what is drawn.
import { Check, CloudOff } from "lucide-react";

import { Button } from "../../ui/Button";
import { Spinner } from "../../ui/Spinner";
import { useBuilder, useBuilderState } from "../context";
import { save } from "../save/saving";

export function SaveState() {
  const builder = useBuilder();
  const saving = useBuilderState((state) => state.saving);
  const error = useBuilderState((state) => state.saveError);
  return (
    <span role="status" className="flex shrink-0 items-center gap-1 text-xs text-muted" data-saving={saving}>
      {saving === "saved" && (
        <>
          <Check size={13} aria-hidden /> Saved
        </>
      )}
      {saving === "dirty" && "Not saved yet"}
      {saving === "saving" && (
        <>
          <Spinner size={12} /> Saving
        </>
      )}
      {saving === "conflict" && <span className="text-warn">Conflict</span>}
      {saving === "failed" && (
        <span className="flex items-center gap-1 text-bad" title={error ?? undefined}>
          <CloudOff size={13} aria-hidden /> {error}
          <Button size="small" onClick={() => void save(builder)}>
            Try again
          </Button>
        </span>
      )}
    </span>
  );
}
