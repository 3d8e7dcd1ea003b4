// One workflow in the list, and its menu. Must not know the canvas.
import { Copy, Download, Ellipsis, History, Trash2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { $api, type Schema } from "../api/client";
import { download, fileName } from "../api/download";
import { useMay } from "../session/session";
import { Badge, StatusBadge } from "../ui/Badge";
import { IconButton } from "../ui/Button";
import { Menu, MenuItem, MenuLine } from "../ui/Menu";
import { Cell, NameCell, Row } from "../ui/Table";
import { Time } from "../ui/Time";
import { Tip } from "../ui/Tip";
import { toast } from "../ui/Toast";
import { DeleteQuestion } from "./DeleteQuestion";
import { useDuplicate } from "./duplicate";

type Workflow = Schema<"WorkflowSummary">;

export function WorkflowRow({ workflow }: { workflow: Workflow }) {
  return (
    <Row>
      <NameCell
        name={
          <Link to={`/workflows/${workflow.id}`} className="hover:underline">
            {workflow.name}
          </Link>
        }
        title={workflow.name}
      />
      <Cell>
        <Published workflow={workflow} />
      </Cell>
      <Cell className="max-sm:hidden">
        <LastRun workflowId={workflow.id} />
      </Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={workflow.updated_at} />
      </Cell>
      <Cell className="w-10 py-1 text-right">
        <RowMenu workflow={workflow} />
      </Cell>
    </Row>
  );
}

const Published = ({ workflow: { published_version, paused } }: { workflow: Workflow }) => (
  <span className="flex items-center gap-1">
    {published_version === null ? (
      <Badge>draft</Badge>
    ) : (
      <Badge tone="ok">published v{published_version}</Badge>
    )}
    {paused.length > 0 && (
      <Tip text={paused.map((one) => `${one.node} rests: ${one.credential} ${one.reason}`).join("; ")}>
        <span tabIndex={0} className="inline-flex">
          <Badge tone="warn">
            <TriangleAlert size={12} aria-hidden /> rests
          </Badge>
        </span>
      </Tip>
    )}
  </span>
);

function LastRun({ workflowId }: { workflowId: string }) {
  const mayRead = useMay()("run:read");
  const query = { workflow: workflowId, limit: 1 };
  const { data } = $api.useQuery(
    "get",
    "/api/runs",
    { params: { query } },
    { enabled: mayRead, staleTime: 30_000 },
  );
  const run = data?.items[0];
  if (!run) return <span className="text-muted">{data ? "never" : ""}</span>;
  return (
    <Link to={`/runs/${run.id}`} className="inline-flex items-center gap-2 hover:underline">
      <StatusBadge status={run.status} />
      <span className="text-muted">
        <Time at={run.created_at} />
      </span>
    </Link>
  );
}

function RowMenu({ workflow }: { workflow: Workflow }) {
  const may = useMay();
  const navigate = useNavigate();
  const duplicate = useDuplicate();
  const [isAsked, setAsked] = useState(false);
  const mayWrite = may("workflow:write");
  const address = `/api/workflows/${workflow.id}/export`;
  return (
    <>
      <Menu
        trigger={
          <IconButton label={`What to do with ${workflow.name}`} size="small">
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        {may("run:read") && (
          <MenuItem
            icon={<History size={14} aria-hidden />}
            onSelect={() => void navigate(`/runs?workflow=${workflow.id}`)}
          >
            Runs
          </MenuItem>
        )}
        {mayWrite && (
          <MenuItem
            icon={<Copy size={14} aria-hidden />}
            onSelect={() => void duplicate(workflow.id).catch(toast.error)}
          >
            Duplicate
          </MenuItem>
        )}
        <MenuItem
          icon={<Download size={14} aria-hidden />}
          onSelect={() => void download(address, fileName(workflow.name, "json")).catch(toast.error)}
        >
          Export
        </MenuItem>
        {mayWrite && (
          <>
            <MenuLine />
            <MenuItem icon={<Trash2 size={14} aria-hidden />} isDangerous onSelect={() => setAsked(true)}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      <DeleteQuestion workflow={workflow} isOpen={isAsked} onClose={() => setAsked(false)} />
    </>
  );
}
