// What belongs to the workflow as a whole: name, description, settings, samples and tests.
import { useId } from "react";

import type { WorkflowDocument, WorkflowSettings } from "../../graph/document";
import { withoutUndefined } from "../../graph/edit";
import { Field } from "../../ui/Field";
import { Input, TextArea } from "../../ui/Input";
import { useBuilder, useBuilderState, useDocument } from "../context";
import { edit } from "../store";
import { JsonPart } from "./JsonPart";

const texts: { field: keyof WorkflowSettings; label: string; hint: string; list?: string }[] = [
  {
    field: "timezone",
    label: "Time zone",
    hint: "Of now(), opening hours and schedules. UTC when empty.",
    list: "zones",
  },
  {
    field: "timeout",
    label: "Longest life of a run",
    hint: "Such as 90d, waits included. No limit when empty.",
  },
  {
    field: "retention",
    label: "Finished runs are kept for",
    hint: "Such as 30d. The service's usual time when empty.",
  },
  { field: "lane", label: "Lane", hint: "An expression: runs with the same value go one after the other." },
  {
    field: "error_workflow",
    label: "When a run fails, start",
    hint: "Name of a workflow that begins with an error.",
  },
];

export function WorkflowPanel({ isReadOnly }: { isReadOnly: boolean }) {
  const builder = useBuilder();
  const document = useDocument();
  const problems = useBuilderState((state) => state.problems);
  const zones = useId();
  const put = (change: Partial<WorkflowDocument>, key: string) =>
    edit(builder, (old) => withoutUndefined({ ...old, ...change }), `workflow/${key}`);
  const setting = (field: keyof WorkflowSettings, value: string) => {
    const settings = withoutUndefined({ ...document.settings, [field]: value || undefined });
    put({ settings: Object.keys(settings).length ? settings : undefined }, field);
  };
  const errorAt = (path: string) => problems.find((problem) => problem.path === path)?.message;
  return (
    <section aria-label="Workflow" className="flex flex-col gap-3.5 overflow-y-auto p-3">
      <fieldset disabled={isReadOnly} className="flex flex-col gap-3.5">
        <Field label="Name" error={errorAt("/name")}>
          {(ids) => (
            <Input
              {...ids}
              value={document.name}
              onChange={(event) => put({ name: event.target.value }, "name")}
            />
          )}
        </Field>
        <Field label="What it is for">
          {(ids) => (
            <TextArea
              {...ids}
              value={document.description ?? ""}
              onChange={(event) => put({ description: event.target.value || undefined }, "description")}
            />
          )}
        </Field>
        {texts.map(({ field, label, hint, list }) => (
          <Field key={field} label={label} hint={hint} error={errorAt(`/settings/${field}`)}>
            {(ids) => (
              <Input
                {...ids}
                list={list && zones}
                value={document.settings?.[field] ?? ""}
                onChange={(event) => setting(field, event.target.value)}
              />
            )}
          </Field>
        ))}
        <datalist id={zones}>
          {Intl.supportedValuesOf("timeZone").map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </fieldset>
      <JsonPart
        title="Samples"
        hint="Items by node id. Expressions are previewed with them, and a trigger's first sample starts a test run."
        value={document.fixtures}
        isReadOnly={isReadOnly}
        onChange={(fixtures) => put({ fixtures: fixtures as WorkflowDocument["fixtures"] }, "fixtures")}
      />
      <JsonPart
        title="Tests"
        hint="Run by `sluice test`: an event, what happens, what is expected."
        value={document.tests}
        isReadOnly={isReadOnly}
        onChange={(tests) => put({ tests: tests as unknown[] }, "tests")}
      />
    </section>
  );
}
