// Shows the studio in the looks of the workspace that somebody works in. Draws nothing.
import { useEffect } from "react";

import { $api } from "../api/client";
import { useMay, useSession } from "../session/session";
import { showWorkspaceBrand } from "./brand";

export function WorkspaceBrand() {
  const { workspace } = useSession();
  const isKnown = useMay()("branding:read") && workspace !== null;
  const { data } = $api.useQuery(
    "get",
    "/api/branding/workspace",
    {},
    { enabled: isKnown, staleTime: 300_000 },
  );
  const seen = isKnown ? data?.seen : undefined;
  useEffect(() => {
    showWorkspaceBrand(seen ?? null);
    return () => showWorkspaceBrand(null);
  }, [seen]);
  return null;
}
