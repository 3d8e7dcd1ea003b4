// Workflows that come with Sluice, to be installed and changed.
import { LayoutTemplate } from "lucide-react";
import { useState } from "react";

import { $api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Badge } from "../ui/Badge";
import { Button, ButtonLink } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { InstallDialog } from "./InstallDialog";

type Template = Schema<"TemplateSummary">;

export default function TemplatesPage() {
  const query = $api.useQuery("get", "/api/templates", {}, { staleTime: Infinity });
  const [chosen, setChosen] = useState<Template | null>(null);
  const templates = query.data?.items ?? [];
  return (
    <Page
      title="Templates"
      description="Workflows that come with Sluice. Install one, change its texts, publish it."
      actions={<ButtonLink to="/workflows">All workflows</ButtonLink>}
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && templates.length === 0 && (
        <EmptyState
          icon={<LayoutTemplate size={24} aria-hidden />}
          title="This installation has no templates."
        />
      )}
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {templates.map((template) => (
          <li key={template.id}>
            <TemplateCard template={template} onInstall={() => setChosen(template)} />
          </li>
        ))}
      </ul>
      {chosen && <InstallDialog template={chosen} onClose={() => setChosen(null)} />}
    </Page>
  );
}

function TemplateCard({ template, onInstall }: { template: Template; onInstall: () => void }) {
  const mayWrite = useMay()("workflow:write");
  return (
    <article className="flex h-full flex-col gap-2 rounded-lg border border-line bg-surface p-4">
      <h2 className="text-sm font-semibold">{template.name}</h2>
      <p className="flex-1 text-sm text-muted">{template.description}</p>
      <p className="flex flex-wrap gap-1">
        {template.node_types.map((type) => (
          <Badge key={type} className="font-mono font-normal">
            {type}
          </Badge>
        ))}
      </p>
      <footer className="mt-1 flex items-center justify-between">
        <span className="text-xs text-muted">{template.tests} tests</span>
        {mayWrite && (
          <Button size="small" onClick={onInstall} aria-label={`Install ${template.name}`}>
            Install
          </Button>
        )}
      </footer>
    </article>
  );
}
