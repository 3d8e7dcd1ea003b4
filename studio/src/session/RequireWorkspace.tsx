// Stands before the pages that show what is in a workspace: who runs the platform or a reseller may be in none.
import { Building2 } from "lucide-react";
import { Outlet } from "react-router";

import { EmptyState } from "../ui/Note";
import { Page } from "../ui/Page";
import { useSession } from "./session";

export function RequireWorkspace() {
  const { workspace, workspaces } = useSession();
  if (workspace) return <Outlet />;
  return (
    <Page title="No workspace">
      {workspaces.length > 0 ? (
        <EmptyState icon={<Building2 size={24} aria-hidden />} title="Choose a workspace first">
          Workflows, runs and approvals are in a workspace. The list is at the top of the navigation.
        </EmptyState>
      ) : (
        <EmptyState icon={<Building2 size={24} aria-hidden />} title="You are in no workspace">
          Somebody who runs one can invite you.
        </EmptyState>
      )}
    </Page>
  );
}
