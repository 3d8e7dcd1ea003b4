// All workflows: what is published, how the last run went, and what can be done with a workflow as a whole.
import { FileUp, LayoutTemplate, Plus, Waypoints } from "lucide-react";
import { useEffect, useState } from "react";

import { $api } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { useMay } from "../session/session";
import { Button, ButtonLink } from "../ui/Button";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Table } from "../ui/Table";
import { CreateDialog } from "./CreateDialog";
import { ImportDialog } from "./ImportDialog";
import { WorkflowRow } from "./WorkflowRow";

const COLUMNS = [
  "Name",
  "State",
  { text: "Last run", className: "max-sm:hidden" },
  { text: "Changed", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function WorkflowsPage() {
  const may = useMay();
  const [sought, setSought] = useState("");
  const [dialog, setDialog] = useState<"create" | "import" | null>(null);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/workflows",
    { params: { query: { limit: 100 } } },
    byCursor,
  );
  const all = itemsOf(query.data);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  // What is sought may be in a part that was not read yet.
  useEffect(() => {
    if (sought && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [sought, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const found = all.filter((one) => one.name.toLowerCase().includes(sought.trim().toLowerCase()));
  const mayWrite = may("workflow:write");
  const actions = mayWrite && (
    <>
      <ButtonLink to="/workflows/templates" icon={<LayoutTemplate size={14} aria-hidden />}>
        Templates
      </ButtonLink>
      <Button icon={<FileUp size={14} aria-hidden />} onClick={() => setDialog("import")}>
        Import
      </Button>
      <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setDialog("create")}>
        New workflow
      </Button>
    </>
  );
  return (
    <Page title="Workflows" actions={all.length > 0 && actions}>
      {all.length > 0 && (
        <Field label="Find a workflow" isLabelHidden className="max-w-xs">
          {(ids) => (
            <Input
              {...ids}
              type="search"
              placeholder="Find by name"
              value={sought}
              onChange={(event) => setSought(event.target.value)}
            />
          )}
        </Field>
      )}
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && all.length === 0 && (
        <EmptyState icon={<Waypoints size={24} aria-hidden />} title="No workflows yet" action={actions}>
          A workflow answers customers, calls services and waits for decisions. Begin with an empty canvas or
          with a template.
        </EmptyState>
      )}
      {found.length > 0 && (
        <Table label="Workflows" columns={COLUMNS}>
          {found.map((workflow) => (
            <WorkflowRow key={workflow.id} workflow={workflow} />
          ))}
        </Table>
      )}
      {all.length > 0 && found.length === 0 && !isFetchingNextPage && (
        <EmptyState title={`No workflow has “${sought}” in its name.`} />
      )}
      <More query={query} />
      <CreateDialog isOpen={dialog === "create"} onClose={() => setDialog(null)} />
      <ImportDialog isOpen={dialog === "import"} onClose={() => setDialog(null)} />
    </Page>
  );
}
