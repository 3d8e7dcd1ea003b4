// Which entries of the trail are shown: held in the page's address. Must not know React.
export const AUDIT_FIELDS = ["actor", "action", "target", "request_id", "since", "until"] as const;
export type AuditFilters = Partial<Record<(typeof AUDIT_FIELDS)[number], string>>;

export function readAuditFilters(query: URLSearchParams): AuditFilters {
  return Object.fromEntries(
    AUDIT_FIELDS.flatMap((name) => {
      const value = query.get(name)?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** What is asked of the API: days become their first and last moments, here. */
export function auditQuestion(filters: AuditFilters): Record<string, string> {
  const { since, until, ...rest } = filters;
  const begin = since ? new Date(`${since}T00:00:00`).getTime() : NaN;
  const end = until ? new Date(`${until}T23:59:59.999`).getTime() : NaN;
  return {
    ...rest,
    ...(Number.isFinite(begin) && { since: String(begin) }),
    ...(Number.isFinite(end) && { until: String(end) }),
  };
}
