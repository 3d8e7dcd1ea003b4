// Asks before a workflow is deleted, and says what that means.
import { useQueryClient } from "@tanstack/react-query";

import { api } from "../api/client";
import { Confirm } from "../ui/Dialog";
import { toast } from "../ui/Toast";
import { workflowLists } from "./lists";

type DeleteQuestionProps = {
  workflow: { id: string; name: string; published_version?: number | null };
  isOpen: boolean;
  onClose: () => void;
  onDeleted?: () => void;
};

export function DeleteQuestion({ workflow, isOpen, onClose, onDeleted }: DeleteQuestionProps) {
  const client = useQueryClient();
  const remove = async () => {
    await api.DELETE("/api/workflows/{id}", { params: { path: { id: workflow.id } } });
    toast.done(`“${workflow.name}” was deleted.`);
    onDeleted?.();
    await client.invalidateQueries(workflowLists);
  };
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={`Delete “${workflow.name}”?`}
      action="Delete"
      isDangerous
      onConfirm={remove}
    >
      The draft and its triggers go at once{workflow.published_version ? ", and it is published" : ""}. Runs
      under way end as their version says. This cannot be undone; an export keeps a copy.
    </Confirm>
  );
}
