// What a node was given, gave, said and failed with in the run that is looked at; and keeping its output for the next runs.
import { Pin, PinOff, Play, RotateCcw } from "lucide-react";
import { useState } from "react";

import type { NodeDoc } from "../../graph/document";
import { edit } from "../store";
import { pinOf } from "../../graph/runRequest";
import { itemsOf, type NodeRun } from "../../graph/runStates";
import { StatusBadge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Input";
import { JsonView } from "../../ui/JsonView";
import { Note } from "../../ui/Note";
import { useBuilder, useBuilderState } from "../context";
import { useRunActions } from "./useRunActions";

export function StepData({ node, isReadOnly }: { node: NodeDoc; isReadOnly: boolean }) {
  const run = useBuilderState((state) => state.run);
  const isPinned = useBuilderState((state) => node.id in state.pins);
  const builder = useBuilder();
  const actions = useRunActions();
  const [place, setPlace] = useState<number | null>(null);
  const runs = run?.nodes.filter((entry) => entry.id === node.id) ?? [];
  const shown = runs[place ?? runs.length - 1] ?? runs.at(-1);
  if (!run || !shown)
    return (
      <p className="text-sm text-muted">
        This node was in no run yet. Run the workflow to see its data here.
      </p>
    );
  const pin = pinOf(shown);
  const keep = () => {
    const items = Object.values(shown.output as Record<string, { json: unknown }[]>).flat();
    edit(builder, (document) => ({
      ...document,
      fixtures: { ...document.fixtures, [node.id]: items.map((item) => ({ json: item.json })) },
    }));
  };
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2 text-xs text-muted">
        <StatusBadge status={shown.status} />
        {shown.started_at && shown.ended_at && <span>{shown.ended_at - shown.started_at} ms</span>}
        {shown.attempt > 1 && <span>{shown.attempt} attempts</span>}
        {runs.length > 1 && (
          <Select
            aria-label="Which run of this node"
            className="h-7 w-auto text-xs"
            value={place ?? runs.length - 1}
            onChange={(event) => setPlace(Number(event.target.value))}
          >
            {runs.map((_, at) => (
              <option key={at} value={at}>
                Time {at + 1} of {runs.length}
              </option>
            ))}
          </Select>
        )}
      </div>
      {!isReadOnly && (
        <div className="flex flex-wrap gap-1.5">
          <Button
            size="small"
            disabled={!isPinned && !pin}
            icon={isPinned ? <PinOff size={13} aria-hidden /> : <Pin size={13} aria-hidden />}
            onClick={() => actions.togglePin(node.id)}
          >
            {isPinned ? "Unpin output" : "Pin output"}
          </Button>
          <Button
            size="small"
            icon={<Play size={13} aria-hidden />}
            onClick={() => void actions.runFrom(node.id)}
          >
            Run from here
          </Button>
          {run.status === "failed" && shown.status === "failed" && (
            <Button
              size="small"
              icon={<RotateCcw size={13} aria-hidden />}
              onClick={() => void actions.retry()}
            >
              Retry from here
            </Button>
          )}
          {pin && (
            <Button size="small" onClick={keep}>
              Keep as sample
            </Button>
          )}
        </div>
      )}
      <NodeRunData node={shown} />
    </div>
  );
}

/** Error, output by port, input by port, what was logged. */
export function NodeRunData({ node }: { node: NodeRun }) {
  const error = node.error as { message?: string; code?: string; path?: string } | null;
  const logs = node.logs as { message?: string; level?: string }[];
  return (
    <>
      {error && (
        <Note tone={node.status === "failed" ? "bad" : "warn"}>
          {node.status !== "failed" && "An earlier attempt failed: "}
          {error.message}
          {error.path && <code className="block text-xs">{error.path}</code>}
        </Note>
      )}
      {node.status === "waiting" && <JsonView label="What it waits for" value={node.wait} />}
      <Ports title="Output" ports={node.output} />
      <Ports title="Input" ports={node.input} />
      {logs.length > 0 && (
        <section aria-label="Logs">
          <h4 className="mb-1 text-xs font-semibold text-muted uppercase">Logs</h4>
          <ul className="flex flex-col gap-0.5 font-mono text-xs">
            {logs.map((line, at) => (
              <li key={at}>
                <span className="text-muted">{line.level}</span> {line.message}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

const Ports = ({ title, ports }: { title: string; ports: Record<string, unknown> }) =>
  Object.keys(ports)
    .filter((port) => itemsOf(ports, port).length > 0)
    .map((port) => {
      const items = itemsOf(ports, port).map((item) => item.json);
      return (
        <section key={port} aria-label={`${title} ${port}`}>
          <h4 className="mb-1 text-xs font-semibold text-muted uppercase">
            {title} · {port} <span className="font-normal normal-case">({items.length})</span>
          </h4>
          <JsonView label={`${title} ${port}`} value={items.length === 1 ? items[0] : items} />
        </section>
      );
    });
