// The page of one workflow: reads it and the catalogue, then hands both to the builder.
import { useQuery } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useState } from "react";
import { useParams, useSearchParams } from "react-router";

import { $api } from "../api/client";
import { catalogueOf, type Catalogue } from "../graph/catalogue";
import { statesOfRun } from "../graph/runStates";
import { useMay } from "../session/session";
import { ErrorNote } from "../ui/Note";
import { useTitle } from "../ui/title";
import { Loading } from "../ui/Spinner";
import { BuilderContext, useDocument } from "./context";
import { MarksContext, createMarks } from "./marks";
import { latestRun, readRun, readWorkflow, type Workflow } from "./remote";
import { createBuilder } from "./store";
import { stopFollowing } from "./run/testRun";
import { Workbench } from "./Workbench";

export default function BuilderPage() {
  const { id = "" } = useParams();
  const types = useQuery($api.queryOptions("get", "/api/nodes", {}, { staleTime: Infinity }));
  // Read once: from then on the builder knows the draft, and whoever else saves it is met when saving.
  const workflow = useQuery({
    queryKey: ["draft", id],
    queryFn: () => readWorkflow(id),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const error = types.error ?? workflow.error;
  if (error)
    return (
      <div className="p-4">
        <ErrorNote error={error} onRetry={() => void workflow.refetch()} />
      </div>
    );
  if (!types.data || !workflow.data) return <Loading />;
  return <OpenBuilder key={id} workflow={workflow.data} types={types.data.items} />;
}

function OpenBuilder({ workflow, types }: { workflow: Workflow; types: Catalogue["types"] }) {
  const isReadOnly = !useMay()("workflow:write");
  const [marks] = useState(() => createMarks());
  const [builder] = useState(() =>
    createBuilder({
      id: workflow.id,
      catalogue: catalogueOf(types),
      document: workflow.document,
      revision: workflow.revision,
      publishedVersion: workflow.published_version,
      problems: workflow.problems,
    }),
  );
  const [search] = useSearchParams();
  const wanted = search.get("run");
  useEffect(() => {
    // What the last run knew feeds previews. The canvas is lit by it only when it was asked for.
    const read = wanted ? readRun(wanted) : latestRun(workflow.id);
    void read
      .then((run) => {
        if (builder.getState().run || !run) return;
        builder.setState({ run });
        if (wanted) marks.setState({ states: statesOfRun(run) });
      })
      .catch(() => undefined);
    return () => stopFollowing(builder);
  }, [builder, marks, workflow.id, wanted]);
  return (
    <BuilderContext value={builder}>
      <MarksContext value={marks}>
        <ReactFlowProvider>
          <Title />
          <Workbench isReadOnly={isReadOnly} />
        </ReactFlowProvider>
      </MarksContext>
    </BuilderContext>
  );
}

function Title() {
  useTitle(useDocument().name);
  return null;
}
