// Chooses which runs are listed.
import { $api } from "../api/client";
import { useMay } from "../session/session";
import { Field } from "../ui/Field";
import { Checkbox, Select } from "../ui/Input";
import { SPANS, STATUSES, type RunFilters } from "./filters";

type RunFilterBarProps = { filters: RunFilters; onChange: (filters: RunFilters) => void };

export function RunFilterBar({ filters, onChange }: RunFilterBarProps) {
  const mayRead = useMay()("workflow:read");
  const workflows = $api.useQuery(
    "get",
    "/api/workflows",
    { params: { query: { limit: 200 } } },
    { enabled: mayRead, staleTime: 60_000 },
  );
  const known = workflows.data?.items ?? [];
  const isForeign = filters.workflow && !known.some((one) => one.id === filters.workflow);
  return (
    <form
      aria-label="Filters"
      onSubmit={(event) => event.preventDefault()}
      className="grid grid-cols-2 items-end gap-2 sm:flex sm:flex-wrap"
    >
      <Field label="Workflow" className="max-sm:col-span-2 sm:w-56">
        {(ids) => (
          <Select
            {...ids}
            value={filters.workflow ?? ""}
            onChange={(event) => onChange({ ...filters, workflow: event.target.value || undefined })}
          >
            <option value="">All workflows</option>
            {isForeign && <option value={filters.workflow}>{filters.workflow}</option>}
            {known.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Status" className="sm:w-36">
        {(ids) => (
          <Select
            {...ids}
            value={filters.status ?? ""}
            onChange={(event) =>
              onChange({ ...filters, status: STATUSES.find((one) => one === event.target.value) })
            }
          >
            <option value="">Any</option>
            {STATUSES.map((status) => (
              <option key={status}>{status}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Since" className="sm:w-36">
        {(ids) => (
          <Select
            {...ids}
            value={filters.since ?? ""}
            onChange={(event) => onChange({ ...filters, since: event.target.value || undefined })}
          >
            <option value="">Ever</option>
            {SPANS.map((span) => (
              <option key={span.id} value={span.id}>
                {span.text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <div className="py-1.5">
        <Checkbox
          label="Needs attention"
          checked={filters.attention ?? false}
          onChange={(attention) => onChange({ ...filters, attention })}
        />
      </div>
    </form>
  );
}
