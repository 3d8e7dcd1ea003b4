// What was done by those who run the platform, or the reseller.
import { useSearchParams } from "react-router";

import { $api } from "../api/client";
import { byCursor, itemsOf } from "../api/pages";
import { AuditTrail } from "../scopes/AuditTrail";
import { auditQuestion, readAuditFilters } from "../scopes/auditFilters";
import { More } from "../ui/More";
import { ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";

export default function PlatformAuditPage() {
  const [address, setAddress] = useSearchParams();
  const filters = readAuditFilters(address);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/platform/audit",
    { params: { query: { ...auditQuestion(filters), limit: 50 } } },
    byCursor,
  );
  return (
    <Page title="Audit" description="What was done by those who run the platform, or the reseller.">
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      <AuditTrail
        of="platform"
        entries={itemsOf(query.data)}
        isRead={query.isSuccess}
        filters={filters}
        onFilter={(changed) => setAddress(new URLSearchParams(changed))}
      />
      <More query={query} />
    </Page>
  );
}
