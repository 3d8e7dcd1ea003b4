// The chosen node: what it is called, its parameters, what happens when it fails, what it did in the last run. Must not
// know any node type.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";

import type { Language } from "../../graph/completion";
import { nameOf, nodeById, type NodeDoc } from "../../graph/document";
import { patchNode } from "../../graph/edit";
import { byField } from "../../graph/problems";
import { namesBefore, sampleFor } from "../../graph/sample";
import { Loading } from "../../ui/Spinner";
import { Note } from "../../ui/Note";
import { Tabs } from "../../ui/Tabs";
import { useBuilder, useBuilderState, useDocument } from "../context";
import { readLanguage } from "../remote";
import { StepData } from "../run/StepData";
import { edit, type Builder } from "../store";
import { FieldsContext, type Fields } from "./FieldContext";
import { FailureSettings } from "./FailureSettings";
import { StepHead } from "./StepHead";
import { TypeHelp } from "./TypeHelp";

const ParamsForm = lazy(() => import("./ParamsForm"));
const silence: Language = { functions: [], variables: [] };

const patch = (builder: Builder, id: string, change: Partial<NodeDoc>, key?: string) =>
  edit(builder, (document) => patchNode(document, id, change), key && `${key}/${id}`);

export function StepPanel({ isReadOnly }: { isReadOnly: boolean }) {
  const open = useBuilderState((state) => state.open);
  const document = useDocument();
  const node = open === null ? undefined : nodeById(document, open);
  if (!node)
    return (
      <p className="p-4 text-sm text-muted">
        Choose a node to see its parameters, or press <kbd className="rounded border border-line px-1">A</kbd>{" "}
        to add one.
      </p>
    );
  return <OpenStep key={node.id} node={node} isReadOnly={isReadOnly} />;
}

function OpenStep({ node, isReadOnly }: { node: NodeDoc; isReadOnly: boolean }) {
  const builder = useBuilder();
  const type = useBuilderState((state) => state.catalogue.byType.get(node.type));
  const [tab, setTab] = useState("params");
  const fields = useFieldsOf(node, isReadOnly);
  useShownField(setTab);
  const own = fields.problems.get("") ?? [];
  return (
    <FieldsContext value={fields}>
      <div className="flex min-h-0 flex-1 flex-col">
        <StepHead node={node} type={type} isReadOnly={isReadOnly} />
        {own.map((problem) => (
          <div key={problem.message} className="px-3 pt-2">
            <Note tone={problem.severity === "error" ? "bad" : "warn"}>{problem.message}</Note>
          </div>
        ))}
        <Tabs
          label={nameOf(node)}
          value={tab}
          onChange={setTab}
          className="min-h-0 flex-1 px-3 pt-1"
          contentClass="overflow-y-auto pb-6"
          tabs={[
            {
              id: "params",
              label: "Parameters",
              content: type ? (
                <Suspense fallback={<Loading />}>
                  <ParamsForm
                    type={type}
                    params={node.params}
                    onChange={(params) => patch(builder, node.id, { params }, "params")}
                  />
                </Suspense>
              ) : (
                <Note tone="bad">This server has no node type “{node.type}”.</Note>
              ),
            },
            {
              id: "failure",
              label: "On failure",
              content: (
                <FailureSettings
                  node={node}
                  type={type}
                  onChange={(settings) => patch(builder, node.id, { settings }, "settings")}
                />
              ),
            },
            { id: "data", label: "Last run", content: <StepData node={node} isReadOnly={isReadOnly} /> },
            { id: "help", label: "Help", content: <TypeHelp type={type} /> },
          ]}
        />
      </div>
    </FieldsContext>
  );
}

function useFieldsOf(node: NodeDoc, isReadOnly: boolean): Fields {
  const document = useDocument();
  const problems = useBuilderState((state) => state.problems);
  const run = useBuilderState((state) => state.run);
  const { data: language = silence } = useQuery({
    queryKey: ["language"],
    queryFn: readLanguage,
    staleTime: Infinity,
  });
  const place = document.nodes.indexOf(node);
  // While a parameter is written, what flows in stays the same; only the graph and the run change it.
  const { edges, fixtures, name } = document;
  const sample = useMemo(
    () => sampleFor(document, run, node.id),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [edges, fixtures, name, run, node.id],
  );
  return useMemo(
    () => ({
      problems: byField(
        problems.filter((problem) => problem.node === node.id || problem.path.startsWith(`/nodes/${place}/`)),
      ),
      sample,
      language,
      names: namesBefore(document, node.id),
      timezone: document.settings?.timezone,
      isReadOnly,
    }),
    [problems, place, sample, language, document, node.id, isReadOnly],
  );
}

/** Brings the field that a problem or a link names into sight. */
function useShownField(setTab: (tab: string) => void) {
  const builder = useBuilder();
  const field = useBuilderState((state) => state.openField);
  useEffect(() => {
    if (field === null) return;
    setTab(field.startsWith("/settings") ? "failure" : field === "/data" ? "data" : "params");
    const timer = setTimeout(() => {
      const path = field.replace(/^\/params\//, "");
      const place = document.querySelector<HTMLElement>(`[data-dock] [data-field="${CSS.escape(path)}"]`);
      place?.scrollIntoView({ block: "center" });
      place?.querySelector<HTMLElement>("input, select, textarea, [contenteditable]")?.focus();
      builder.setState({ openField: null });
    }, 150);
    return () => clearTimeout(timer);
  }, [field, builder, setTab]);
}
