// Decisions that runs wait for. Made for a thumb as well as for a mouse.
import { CircleCheckBig } from "lucide-react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { $api } from "../api/client";
import { useStream } from "../api/events";
import { byCursor, itemsOf } from "../api/pages";
import { useMay } from "../session/session";
import { More } from "../ui/More";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { ApprovalCard } from "./ApprovalCard";

export const approvalLists = { queryKey: ["get", "/api/approvals"] };

export default function ApprovalsPage() {
  const query = $api.useInfiniteQuery(
    "get",
    "/api/approvals",
    { params: { query: { limit: 50 } } },
    byCursor,
  );
  const items = itemsOf(query.data);
  useLiveApprovals();
  return (
    <Page title="Approvals" description="Runs wait for these decisions, the longest waiting first.">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && items.length === 0 && (
        <EmptyState icon={<CircleCheckBig size={24} aria-hidden />} title="Nothing waits for a decision." />
      )}
      <ul aria-label="Open approvals" className="flex max-w-3xl flex-col gap-3">
        {items.map((approval) => (
          <li key={approval.id}>
            <ApprovalCard approval={approval} />
          </li>
        ))}
      </ul>
      <More query={query} />
    </Page>
  );
}

/** A run that begins to wait, or ends, may bring or take a decision. */
function useLiveApprovals() {
  const client = useQueryClient();
  const mayFollow = useMay()("run:read");
  const planned = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(planned.current ?? undefined), []);
  const readSoon = () => {
    planned.current ??= setTimeout(() => {
      planned.current = null;
      void client.invalidateQueries(approvalLists);
    }, 500);
  };
  useStream(mayFollow ? "/api/stream" : null, {
    onEvents: (events) => {
      if (events.some((one) => one.event.startsWith("run.") || one.event === "node.resumed")) readSoon();
    },
    onReset: readSoon,
  });
}
