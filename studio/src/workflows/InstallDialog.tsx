// Installs a template under a name, and opens it.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Checkbox, Input } from "../ui/Input";
import { ErrorNote } from "../ui/Note";
import { useSubmit } from "../ui/useSubmit";
import { workflowLists } from "./lists";

export function InstallDialog({
  template,
  onClose,
}: {
  template: Schema<"TemplateSummary">;
  onClose: () => void;
}) {
  const [name, setName] = useState(template.name);
  const [isPublished, setPublished] = useState(false);
  const mayPublish = useMay()("workflow:publish");
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/templates/{id}/install", {
      params: { path: { id: template.id } },
      body: { name: name.trim(), publish: isPublished },
    });
    await client.invalidateQueries(workflowLists);
    if (data) await navigate(`/workflows/${data.id}`);
  }, ["name"]);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Install “${template.name}”`}
      width="small"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={form.isBusy} onClick={() => void form.run()}>
            Install
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field label="Name" required error={form.errorAt("name")}>
          {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        {mayPublish && (
          <Checkbox
            label="Publish it at once"
            hint="Its triggers become active."
            checked={isPublished}
            onChange={setPublished}
          />
        )}
        <ErrorNote error={form.error} />
      </div>
    </Dialog>
  );
}
