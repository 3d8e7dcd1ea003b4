// Which workspace this is, and the way to another one.
import { Check, ChevronsUpDown } from "lucide-react";
import { useNavigate } from "react-router";

import { Button } from "../ui/Button";
import { Menu, MenuItem, MenuLabel } from "../ui/Menu";
import { toast } from "../ui/Toast";
import { useSession, useSwitch, type Workspace } from "./session";

export function WorkspaceMenu() {
  const { workspace, workspaces } = useSession();
  const shown = workspace && (workspace.display_name || workspace.name);
  const change = useSwitch();
  const navigate = useNavigate();
  const choose = async (one: Workspace) => {
    if (one.id === workspace?.id) return;
    await change(one);
    await navigate("/");
  };
  return (
    <Menu
      align="start"
      trigger={
        <Button look="quiet" className="w-full min-w-0 justify-start px-2">
          <span className="sr-only">Workspace: </span>
          <span
            aria-hidden
            className="flex size-5 shrink-0 items-center justify-center rounded bg-accent text-xs font-semibold text-on-accent"
          >
            {(shown ?? "S").slice(0, 1).toUpperCase()}
          </span>
          <span className="min-w-0 flex-1 truncate text-left">{shown ?? "No workspace"}</span>
          <ChevronsUpDown size={14} aria-hidden className="shrink-0 text-muted" />
        </Button>
      }
    >
      <MenuLabel>{workspaces.length > 0 ? "Workspaces" : "You are in no workspace."}</MenuLabel>
      {workspaces.map((one) => (
        <MenuItem
          key={one.id}
          icon={<Check size={14} aria-hidden className={one.id === workspace?.id ? "" : "invisible"} />}
          keys={one.role ?? undefined}
          onSelect={() => void choose(one).catch(toast.error)}
        >
          {one.display_name || one.name}
        </MenuItem>
      ))}
    </Menu>
  );
}
