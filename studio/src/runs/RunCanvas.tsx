// The workflow that ran, lit by the run. Loaded apart, because the canvas is large. Must not know the rest of the page.
import { useMemo } from "react";

import { $api, ApiError, type Schema } from "../api/client";
import GraphView from "../builder/GraphView";
import { catalogueOf } from "../graph/catalogue";
import type { NodeStates } from "../graph/runStates";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Loading } from "../ui/Spinner";

type RunCanvasProps = {
  run: Pick<Schema<"RunView">, "workflow_id" | "version">;
  states: NodeStates;
  selected: string | null;
  onSelect: (id: string | null) => void;
};

export default function RunCanvas({ run, states, selected, onSelect }: RunCanvasProps) {
  const { document, error } = useDocument(run.workflow_id, run.version);
  const types = $api.useQuery("get", "/api/nodes", {}, { staleTime: Infinity });
  const catalogue = useMemo(() => types.data && catalogueOf(types.data.items), [types.data]);
  const fault = error ?? types.error;
  if (fault instanceof ApiError && fault.status === 404) {
    return (
      <div className="p-4">
        <EmptyState title="The workflow is not there any more.">
          What its nodes did is still shown here.
        </EmptyState>
      </div>
    );
  }
  if (fault) {
    return (
      <div className="p-4">
        <ErrorNote error={fault} />
      </div>
    );
  }
  if (!document || !catalogue) return <Loading what="Loading the canvas" />;
  return (
    <GraphView
      document={document}
      catalogue={catalogue}
      states={states}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

/** What ran: a version stays as it is; of a draft only the present one is known. */
function useDocument(id: string, version: number) {
  const isDraft = version === 0;
  const frozen = $api.useQuery(
    "get",
    "/api/workflows/{id}/versions/{version}",
    { params: { path: { id, version } } },
    { enabled: !isDraft, staleTime: Infinity },
  );
  const draft = $api.useQuery(
    "get",
    "/api/workflows/{id}",
    { params: { path: { id } } },
    { enabled: isDraft, staleTime: 60_000 },
  );
  return isDraft
    ? { document: draft.data?.document, error: draft.error }
    : { document: frozen.data?.document, error: frozen.error };
}
