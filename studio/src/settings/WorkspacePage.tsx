// The workspace itself: its name for people, and its end.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { $api, api, enterWorkspace, type Schema } from "../api/client";
import { beginAnew, sessionQuery, useMay, useSession } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { FormDialog } from "../ui/FormDialog";
import { ErrorNote, Note } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";

export default function WorkspacePage() {
  const { workspace } = useSession();
  const may = useMay();
  const id = workspace?.id ?? "";
  const query = $api.useQuery("get", "/api/workspaces/{id}", { params: { path: { id } } });
  const [isAsked, setAsked] = useState(false);
  const shown = query.data;
  return (
    <Page title="Workspace">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {shown && (
        <>
          <Section title="Name" description={`In addresses: ${shown.name}`}>
            {shown.status !== "active" && (
              <Note tone="warn">
                <StatusBadge status={shown.status} /> {shown.status_reason}
              </Note>
            )}
            <NameForm key={shown.updated_at} workspace={shown} />
          </Section>
          {may("workspace:delete") && (
            <Section
              title="Delete the workspace"
              description="Its workflows stop at once and its records are removed. This cannot be undone."
            >
              <Button look="danger" className="self-start" onClick={() => setAsked(true)}>
                Delete…
              </Button>
            </Section>
          )}
          {isAsked && <DeleteDialog workspace={shown} onClose={() => setAsked(false)} />}
        </>
      )}
    </Page>
  );
}

function NameForm({ workspace }: { workspace: Schema<"WorkspaceView"> }) {
  const mayWrite = useMay()("workspace:write");
  const client = useQueryClient();
  const [name, setName] = useState(workspace.display_name);
  const form = useSubmit(async () => {
    const path = { id: workspace.id };
    await api.PUT("/api/workspaces/{id}", { params: { path }, body: { display_name: name } });
    await client.invalidateQueries({ queryKey: ["get", "/api/workspaces/{id}"] });
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    toast.done("Saved.");
  }, ["display_name"]);
  return (
    <form onSubmit={form.onSubmit} className="flex max-w-md flex-col gap-3">
      <TextField
        label="Name for people"
        value={name}
        onChange={setName}
        disabled={!mayWrite}
        error={form.errorAt("display_name")}
      />
      <ErrorNote error={form.error} />
      {mayWrite && (
        <Button type="submit" look="primary" busy={form.isBusy} className="self-start">
          Save
        </Button>
      )}
    </form>
  );
}

function DeleteDialog({ workspace, onClose }: { workspace: Schema<"WorkspaceView">; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    if (typed !== workspace.name) throw new Error(`Type ${workspace.name} to delete it.`);
    await api.DELETE("/api/workspaces/{id}", { params: { path: { id: workspace.id } } });
    enterWorkspace(null);
    await navigate("/");
    await beginAnew(client);
    toast.done(`“${workspace.display_name}” was deleted.`);
  });
  return (
    <FormDialog
      title={`Delete “${workspace.display_name}”?`}
      action="Delete for good"
      isDangerous
      form={form}
      onClose={onClose}
    >
      <Note tone="bad">
        Everything in it goes: workflows, credentials, numbers, contacts, runs. The audit trail stays.
      </Note>
      <TextField
        label={`Type ${workspace.name}`}
        value={typed}
        onChange={setTyped}
        autoComplete="off"
        required
      />
    </FormDialog>
  );
}
