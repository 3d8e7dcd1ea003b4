// Replays a run with its recorded effects on the draft or on a version, and shows what came out differently. Nothing outside
// happens.
import { useState } from "react";

import { $api, api, type Schema } from "../api/client";
import { Badge, StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Select } from "../ui/Input";
import { JsonView } from "../ui/JsonView";
import { ErrorNote, Note } from "../ui/Note";
import { useSubmit } from "../ui/useSubmit";
import { counted } from "../ui/words";

type Replay = Schema<"ReplayView">;
type Difference = Schema<"Difference">;

export function ReplayDialog({ run, onClose }: { run: Schema<"RunView">; onClose: () => void }) {
  const [on, setOn] = useState("draft");
  const [replay, setReplay] = useState<Replay | null>(null);
  const versions = $api.useQuery("get", "/api/workflows/{id}/versions", {
    params: { path: { id: run.workflow_id }, query: { limit: 100 } },
  });
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/runs/{id}/replay", {
      params: { path: { id: run.id } },
      body: on === "draft" ? { draft: true } : { version: Number(on) },
    });
    setReplay(data ?? null);
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="wide"
      title="Replay this run"
      description="Its trigger and the recorded answers of the outside are used again; nothing outside happens."
      actions={<Button onClick={onClose}>Close</Button>}
    >
      <div className="flex flex-col gap-4">
        <form onSubmit={form.onSubmit} className="flex items-end gap-2">
          <Field label="On" className="w-56">
            {(ids) => (
              <Select {...ids} value={on} onChange={(event) => setOn(event.target.value)}>
                <option value="draft">the present draft</option>
                {versions.data?.items.map(({ version, is_active }) => (
                  <option key={version} value={version}>
                    version {version}
                    {is_active ? " (published)" : ""}
                    {version === run.version ? " (this run's)" : ""}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Button type="submit" look="primary" busy={form.isBusy}>
            Replay
          </Button>
        </form>
        <ErrorNote error={form.error} />
        {replay && <Outcome replay={replay} />}
      </div>
    </Dialog>
  );
}

function Outcome({ replay }: { replay: Replay }) {
  return (
    <section aria-label="What came out" className="flex flex-col gap-3">
      <p role="status" className="flex flex-wrap items-center gap-2 text-sm">
        Then <StatusBadge status={replay.recorded_status} /> now <StatusBadge status={replay.status} />
        {replay.is_same ? (
          <Badge tone="ok">no difference</Badge>
        ) : (
          <Badge tone="warn">{counted(replay.differences.length, "difference")}</Badge>
        )}
      </p>
      {replay.error && <Note tone="bad">{replay.error.message}</Note>}
      {replay.not_recorded.length > 0 && (
        <Note tone="warn">
          These nodes have effects without a recorded answer; they were not run and gave nothing:{" "}
          {replay.not_recorded.join(", ")}
        </Note>
      )}
      {replay.differences.map((difference) => (
        <DifferenceView key={`${difference.node} ${difference.iteration}`} difference={difference} />
      ))}
    </section>
  );
}

const TONES = { added: "ok", removed: "bad", changed: "warn" } as const;

const DifferenceView = ({
  difference: { node, iteration, change, before, after },
}: {
  difference: Difference;
}) => (
  <article aria-label={`Difference at ${node}`} className="rounded-md border border-line p-3">
    <h3 className="mb-2 flex items-center gap-2 text-sm font-medium">
      {node}
      {iteration > 0 && <span className="text-muted">#{iteration + 1}</span>}
      <Badge tone={TONES[change as keyof typeof TONES] ?? "muted"}>{change}</Badge>
    </h3>
    <div className="grid gap-2 md:grid-cols-2">
      <Side title="Then" value={before} />
      <Side title="Now" value={after} />
    </div>
  </article>
);

const Side = ({ title, value }: { title: string; value: unknown }) => (
  <div className="min-w-0">
    <h4 className="mb-1 text-xs text-muted">{title}</h4>
    {value == null ? (
      <p className="text-sm text-muted">It did not run.</p>
    ) : (
      <JsonView value={value} label={title} className="max-h-64" />
    )}
  </div>
);
