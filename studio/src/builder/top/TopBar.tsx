// Above the canvas: the name, whether it is saved, undo and redo, running, publishing, and what else there is to do.
import {
  CircleAlert,
  Keyboard,
  LayoutDashboard,
  MoreHorizontal,
  Redo2,
  Save,
  TriangleAlert,
  Undo2,
  Upload,
} from "lucide-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { api } from "../../api/client";
import { hasErrors } from "../../graph/problems";
import { useMay } from "../../session/session";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { Confirm } from "../../ui/Dialog";
import { Menu, MenuItem, MenuLine } from "../../ui/Menu";
import { toast } from "../../ui/Toast";
import { layoutSelected } from "../commands";
import { useBuilder, useBuilderState } from "../context";
import { RunBar } from "../run/RunBar";
import { save } from "../save/saving";
import { redoEdit, undoEdit } from "../store";
import { ExportDialog } from "./ExportDialog";
import { ImportDialog } from "./ImportDialog";
import { PublishDialog } from "./PublishDialog";
import { SaveState } from "./SaveState";

type Open = "publish" | "unpublish" | "export" | "import" | null;

export function TopBar({ isReadOnly, onSheet }: { isReadOnly: boolean; onSheet: () => void }) {
  const builder = useBuilder();
  const name = useBuilderState((state) => state.history.present.name);
  const canUndo = useBuilderState((state) => state.history.past.length > 0);
  const canRedo = useBuilderState((state) => state.history.future.length > 0);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-2 border-b border-line bg-surface px-3 py-1">
      <Link to="/workflows" className="shrink-0 text-sm text-muted hover:text-text">
        Workflows
      </Link>
      <span aria-hidden className="text-muted">
        /
      </span>
      <h1 className="max-w-full min-w-0 truncate text-sm font-semibold">{name}</h1>
      <PublishedBadge />
      <SaveState />
      <div className="flex-1" />
      <ProblemsButton />
      {!isReadOnly && (
        <>
          <IconButton label="Undo" size="small" disabled={!canUndo} onClick={() => undoEdit(builder)}>
            <Undo2 size={15} aria-hidden />
          </IconButton>
          <IconButton label="Redo" size="small" disabled={!canRedo} onClick={() => redoEdit(builder)}>
            <Redo2 size={15} aria-hidden />
          </IconButton>
        </>
      )}
      <RunBar />
      {useMay()("workflow:publish") && (
        <Button
          size="small"
          look="primary"
          icon={<Upload size={14} aria-hidden />}
          onClick={() => setOpen("publish")}
        >
          Publish
        </Button>
      )}
      <MoreMenu
        isReadOnly={isReadOnly}
        onOpen={setOpen}
        onSheet={onSheet}
        onSave={() => void save(builder)}
      />
      {open === "publish" && <PublishDialog onClose={close} />}
      <UnpublishQuestion isOpen={open === "unpublish"} onClose={close} />
      {open === "export" && <ExportDialog onClose={close} />}
      {open === "import" && <ImportDialog onClose={close} />}
    </header>
  );
}

const PublishedBadge = () => {
  const version = useBuilderState((state) => state.publishedVersion);
  return version === null ? <Badge>not published</Badge> : <Badge tone="ok">version {version}</Badge>;
};

function ProblemsButton() {
  const builder = useBuilder();
  const problems = useBuilderState((state) => state.problems);
  if (!problems.length) return null;
  const isBad = hasErrors(problems);
  const Icon = isBad ? CircleAlert : TriangleAlert;
  return (
    <Button
      size="small"
      look="quiet"
      className={isBad ? "!text-bad" : "!text-warn"}
      icon={<Icon size={14} aria-hidden />}
      onClick={() => builder.setState({ dock: "problems" })}
    >
      {problems.length} <span className="sr-only">problems</span>
    </Button>
  );
}

type MoreProps = {
  isReadOnly: boolean;
  onOpen: (open: Open) => void;
  onSheet: () => void;
  onSave: () => void;
};

function MoreMenu({ isReadOnly, onOpen, onSheet, onSave }: MoreProps) {
  const builder = useBuilder();
  const isPublished = useBuilderState((state) => state.publishedVersion !== null);
  const mayPublish = useMay()("workflow:publish");
  return (
    <Menu
      trigger={
        <IconButton label="More" size="small">
          <MoreHorizontal size={15} aria-hidden />
        </IconButton>
      }
    >
      {!isReadOnly && (
        <>
          <MenuItem icon={<Save size={14} aria-hidden />} keys="Ctrl S" onSelect={onSave}>
            Save
          </MenuItem>
          <MenuItem
            icon={<LayoutDashboard size={14} aria-hidden />}
            keys="L"
            onSelect={() => layoutSelected(builder)}
          >
            Lay out
          </MenuItem>
          <MenuItem onSelect={() => onOpen("import")}>Import…</MenuItem>
        </>
      )}
      <MenuItem onSelect={() => onOpen("export")}>Export…</MenuItem>
      <MenuItem icon={<Keyboard size={14} aria-hidden />} keys="?" onSelect={onSheet}>
        Keys
      </MenuItem>
      {mayPublish && isPublished && (
        <>
          <MenuLine />
          <MenuItem isDangerous onSelect={() => onOpen("unpublish")}>
            Unpublish…
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

function UnpublishQuestion({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const builder = useBuilder();
  const client = useQueryClient();
  const unpublish = async () => {
    const { id } = builder.getState();
    await api.POST("/api/workflows/{id}/unpublish", { params: { path: { id } } });
    builder.setState({ publishedVersion: null });
    toast.done("Nothing starts this workflow any more.");
    await client.invalidateQueries({ queryKey: ["get", "/api/workflows/{id}/versions"] });
    await client.invalidateQueries({ queryKey: ["get", "/api/workflows"] });
  };
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title="Unpublish this workflow?"
      action="Unpublish"
      isDangerous
      onConfirm={unpublish}
    >
      Its triggers stop at once: messages, webhooks and times start nothing any more. Runs under way go on,
      and its versions stay.
    </Confirm>
  );
}
