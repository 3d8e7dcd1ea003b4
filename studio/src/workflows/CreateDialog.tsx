// Makes an empty workflow and opens it.
import { useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useNavigate } from "react-router";

import { api } from "../api/client";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { ErrorNote } from "../ui/Note";
import { useSubmit } from "../ui/useSubmit";
import { workflowLists } from "./lists";

export function CreateDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const formId = useId();
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/workflows", {
      body: { sluice: 1, name: name.trim(), nodes: [], edges: [] },
    });
    await client.invalidateQueries(workflowLists);
    if (data) await navigate(`/workflows/${data.id}`);
  }, ["name"]);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="New workflow"
      width="small"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={formId} busy={form.isBusy}>
            Make it
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={form.onSubmit} className="flex flex-col gap-3">
        <Field label="Name" required error={form.errorAt("name")}>
          {(ids) => (
            <Input
              {...ids}
              value={name}
              maxLength={200}
              onChange={(event) => setName(event.target.value)}
              placeholder="Greeting"
            />
          )}
        </Field>
        <ErrorNote error={form.error} />
      </form>
    </Dialog>
  );
}
