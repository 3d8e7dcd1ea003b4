// The trail of the workspace.
import { useSearchParams } from "react-router";

import { $api } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { More } from "../ui/More";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { AuditTrail } from "../scopes/AuditTrail";
import { auditQuestion, readAuditFilters } from "../scopes/auditFilters";

export default function AuditPage() {
  const [address, setAddress] = useSearchParams();
  const filters = readAuditFilters(address);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/audit",
    { params: { query: { ...auditQuestion(filters), limit: 50 } } },
    byCursor,
  );
  return (
    <Page title="Audit" description="What was done here, by whom. Entries are sealed one upon the other.">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      <AuditTrail
        of="workspace"
        entries={itemsOf(query.data)}
        isRead={query.isSuccess}
        filters={filters}
        onFilter={(changed) => setAddress(new URLSearchParams(changed))}
      />
      <More query={query} />
    </Page>
  );
}
