// The frozen versions of the workflow: which one is active, what is different from the draft, and going back to one.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { $api, api } from "../../api/client";
import { diff } from "../../graph/diff";
import type { WorkflowDocument } from "../../graph/document";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Select } from "../../ui/Input";
import { ErrorNote } from "../../ui/Note";
import { Loading } from "../../ui/Spinner";
import { Time } from "../../ui/Time";
import { toast } from "../../ui/Toast";
import { useBuilder, useBuilderState, useDocument } from "../context";
import { adopt, save } from "../save/saving";
import { ChangeList } from "./ChangeList";

export function VersionsPanel({ isReadOnly }: { isReadOnly: boolean }) {
  const builder = useBuilder();
  const client = useQueryClient();
  const id = useBuilderState((state) => state.id);
  const query = $api.queryOptions("get", "/api/workflows/{id}/versions", { params: { path: { id } } });
  const { data, error, isPending } = useQuery(query);
  const [compared, setCompared] = useState<number | null>(null);
  const [restored, setRestored] = useState<number | null>(null);
  const versions = data?.items ?? [];
  const restore = async (version: number) => {
    try {
      // What is drawn is saved first: a version is restored over it, and undo must find it again.
      if (!(await save(builder))) throw new Error("Save the draft first.");
      const { data: workflow } = await api.POST("/api/workflows/{id}/restore/{version}", {
        params: { path: { id, version } },
      });
      if (workflow) adopt(builder, workflow);
      toast.done(`The draft is version ${version} again.`);
      await client.invalidateQueries(query);
    } catch (fault) {
      toast.error(fault);
    }
    setRestored(null);
  };
  if (isPending) return <Loading />;
  return (
    <section aria-label="Versions" className="flex flex-col gap-2 overflow-y-auto p-3">
      <ErrorNote error={error} />
      {!versions.length && (
        <p className="text-sm text-muted">
          Nothing has been published yet. Publishing freezes the draft as a version.
        </p>
      )}
      <ul className="flex flex-col gap-1.5">
        {versions.map((version) => (
          <li
            key={version.version}
            className="flex flex-wrap items-center gap-2 rounded-md border border-line p-2 text-sm"
          >
            <span className="font-medium">Version {version.version}</span>
            {version.is_active && <Badge tone="ok">active</Badge>}
            <span className="min-w-0 flex-1 text-xs text-muted">
              <Time at={version.published_at} />
            </span>
            <Button size="small" onClick={() => setCompared(version.version)}>
              Compare
            </Button>
            {!isReadOnly && (
              <Button size="small" onClick={() => setRestored(version.version)}>
                Restore
              </Button>
            )}
          </li>
        ))}
      </ul>
      {compared !== null && (
        <CompareDialog
          id={id}
          version={compared}
          versions={versions.map((one) => one.version)}
          onClose={() => setCompared(null)}
        />
      )}
      {restored !== null && (
        <Dialog
          isOpen
          onClose={() => setRestored(null)}
          title={`Restore version ${restored}?`}
          description="The draft becomes this version. What is active stays active until you publish. Undo brings the draft back."
          width="small"
          actions={
            <>
              <Button onClick={() => setRestored(null)}>Cancel</Button>
              <Button look="primary" onClick={() => void restore(restored)}>
                Restore
              </Button>
            </>
          }
        >
          <Comparison id={id} from={restored} to="draft" isReversed />
        </Dialog>
      )}
    </section>
  );
}

type CompareProps = { id: string; version: number; versions: number[]; onClose: () => void };

function CompareDialog({ id, version, versions, onClose }: CompareProps) {
  const [other, setOther] = useState<number | "draft">("draft");
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="wide"
      title={
        <span className="flex items-center gap-2">
          Version {version} compared with
          <Select
            aria-label="Compared with"
            className="w-auto"
            value={other}
            onChange={(event) =>
              setOther(event.target.value === "draft" ? "draft" : Number(event.target.value))
            }
          >
            <option value="draft">the draft</option>
            {versions
              .filter((one) => one !== version)
              .map((one) => (
                <option key={one} value={one}>
                  version {one}
                </option>
              ))}
          </Select>
        </span>
      }
    >
      <Comparison id={id} from={version} to={other} />
    </Dialog>
  );
}

const useVersion = (id: string, version: number | "draft") =>
  useQuery({
    ...$api.queryOptions("get", "/api/workflows/{id}/versions/{version}", {
      params: { path: { id, version: version === "draft" ? 0 : version } },
    }),
    enabled: version !== "draft",
    staleTime: Infinity,
  });

type ComparisonProps = { id: string; from: number; to: number | "draft"; isReversed?: boolean };

function Comparison({ id, from, to, isReversed }: ComparisonProps) {
  const draft = useDocument();
  const before = useVersion(id, from);
  const after = useVersion(id, to);
  const fault = before.error ?? after.error;
  const old = before.data?.document;
  const now: WorkflowDocument | undefined = to === "draft" ? draft : after.data?.document;
  if (fault) return <ErrorNote error={fault} />;
  if (!old || !now) return <Loading />;
  return <ChangeList changes={isReversed ? diff(now, old) : diff(old, now)} empty="They are the same." />;
}
