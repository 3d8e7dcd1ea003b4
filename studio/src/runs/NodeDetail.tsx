// What one node got, gave, said and suffered. Must not know node types: it is all data.
import type { Schema } from "../api/client";
import { Badge, StatusBadge } from "../ui/Badge";
import { JsonView } from "../ui/JsonView";
import { Note } from "../ui/Note";
import { Tabs } from "../ui/Tabs";
import { exactTime, span } from "../ui/time";
import { counted } from "../ui/words";
import { OutcomeForm, OutcomeNote } from "./OutcomeForm";
import { errorOfNode, logsOf, nameOfNode, waitOf, waitWords, type NodeRun } from "./words";

export function NodeDetail({ run, node }: { run: Schema<"RunView">; node: NodeRun }) {
  const error = errorOfNode(node);
  const wait = waitOf(node);
  const logs = logsOf(node);
  const isFailed = node.status === "failed";
  return (
    <section aria-label={`Node ${nameOfNode(node)}`} className="flex flex-col gap-3">
      <header className="flex flex-col gap-1">
        <h2 className="flex flex-wrap items-center gap-2 text-sm font-semibold">
          {nameOfNode(node)} <StatusBadge status={node.status} />
          {node.attempt > 1 && <Badge tone="warn">attempt {node.attempt}</Badge>}
          {node.pinned && <Badge>pinned</Badge>}
          {node.iteration > 0 && <Badge>run {node.iteration + 1}</Badge>}
        </h2>
        <p className="font-mono text-xs text-muted">
          {node.id} · {node.type}
        </p>
        <Timing node={node} />
      </header>
      {wait && node.status === "waiting" && <Note tone="warn">{waitWords(wait)}</Note>}
      {node.outcome && <OutcomeNote outcome={node.outcome} />}
      {node.outcome?.is_open && <OutcomeForm runId={run.id} node={node} />}
      {error && (
        <Note tone={isFailed ? "bad" : "warn"}>
          {!isFailed && "An earlier attempt failed: "}
          {error.message ?? "It failed."}{" "}
          {(error.code ?? error.kind) && (
            <code className="text-xs text-muted">{error.code ?? error.kind}</code>
          )}
        </Note>
      )}
      <Tabs
        label="Data of the node"
        value={undefined}
        tabs={[
          {
            id: "output",
            label: "Output",
            content: <Items value={node.output} label="Output" none="It gave nothing." />,
          },
          {
            id: "input",
            label: "Input",
            content: <Items value={node.input} label="Input" none="It got nothing." />,
          },
          ...(error
            ? [{ id: "error", label: "Error", content: <JsonView value={error} label="Error" /> }]
            : []),
          ...(wait ? [{ id: "wait", label: "Wait", content: <JsonView value={wait} label="Wait" /> }] : []),
          {
            id: "logs",
            label: `Log${logs.length > 0 ? ` (${logs.length})` : ""}`,
            content: <Log lines={logs} />,
          },
        ]}
      />
    </section>
  );
}

function Timing({ node }: { node: NodeRun }) {
  const { started_at, ended_at, retry_at } = node;
  if (!started_at) return null;
  return (
    <p className="text-xs text-muted">
      Began {exactTime(started_at)}
      {ended_at != null && ` · took ${span(ended_at - started_at)}`}
      {retry_at != null && node.status === "waiting" && ` · next attempt ${exactTime(retry_at)}`}
    </p>
  );
}

/** Items by port; a single port needs no name. */
function Items({ value, label, none }: { value: Record<string, unknown>; label: string; none: string }) {
  const ports = Object.entries(value);
  if (ports.length === 0) return <p className="text-sm text-muted">{none}</p>;
  return (
    <div className="flex flex-col gap-3">
      {ports.map(([port, items]) => (
        <div key={port} className="flex flex-col gap-1">
          <h3 className="text-xs text-muted">
            {port} · {Array.isArray(items) ? counted(items.length, "item") : ""}
          </h3>
          <JsonView value={plain(items)} label={`${label} ${port}`} />
        </div>
      ))}
    </div>
  );
}

/** Of an item people want to see what it holds; where it came from only when that is all there is. */
const plain = (items: unknown) =>
  Array.isArray(items)
    ? items.map((item: { json?: unknown; files?: unknown }) =>
        item && typeof item === "object" && "json" in item && !item.files ? item.json : item,
      )
    : items;

function Log({ lines }: { lines: ReturnType<typeof logsOf> }) {
  if (lines.length === 0) return <p className="text-sm text-muted">It wrote nothing.</p>;
  return (
    <ol className="flex flex-col gap-1 font-mono text-xs">
      {lines.map((line, index) => (
        <li key={index} className="flex gap-2">
          <time className="shrink-0 text-muted">{new Date(line.at).toLocaleTimeString()}</time>
          <span className={line.level === "warn" ? "text-warn" : ""}>{line.message}</span>
        </li>
      ))}
    </ol>
  );
}
