// Chooses a credential by its name, among those of the kinds that the node can use. Must not know what is in them.
import { useQuery } from "@tanstack/react-query";

import { $api } from "../../api/client";
import { Select } from "../../ui/Input";
import type { ControlProps } from "./controls";

export function CredentialControl({
  id,
  value,
  onChange,
  options,
  describedBy,
  isInvalid,
  isReadOnly,
}: ControlProps) {
  const { data, error } = useQuery($api.queryOptions("get", "/api/credentials"));
  const kinds = options.credentialKinds ?? [];
  const fitting = (data?.items ?? []).filter(
    (credential) => !kinds.length || kinds.includes(credential.kind),
  );
  const name = typeof value === "string" ? value : "";
  const isKnown = !name || fitting.some((credential) => credential.name === name);
  return (
    <>
      <Select
        id={id}
        aria-describedby={describedBy}
        aria-invalid={isInvalid || undefined}
        disabled={isReadOnly}
        value={name}
        onChange={(event) => onChange(event.target.value || undefined)}
      >
        <option value="">None</option>
        {!isKnown && <option value={name}>{name}</option>}
        {fitting.map((credential) => (
          <option key={credential.id} value={credential.name}>
            {credential.name} ({credential.kind})
          </option>
        ))}
      </Select>
      {!error && data && !fitting.length && (
        <p className="text-[11px] text-muted">
          No credential of kind {kinds.join(" or ")} yet; settings is where they are made.
        </p>
      )}
    </>
  );
}
