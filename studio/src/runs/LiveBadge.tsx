// Whether what is shown is as it is now.
import type { StreamState } from "../api/events";
import { Badge } from "../ui/Badge";

export function LiveBadge({ state }: { state: StreamState }) {
  if (state === "over" || state === "refused") return null;
  const isOpen = state === "open";
  return (
    <span role="status">
      <Badge tone={isOpen ? "ok" : state === "lost" ? "warn" : "muted"}>
        <span aria-hidden className="size-1.5 rounded-full bg-current" />
        {isOpen ? "live" : state === "lost" ? "connecting again" : "connecting"}
      </Badge>
    </span>
  );
}
