// The kinds of credentials there are: those that nodes describe, and those that nodes merely name.
import { useMemo } from "react";

import { $api } from "../api/client";

export function useCredentialKinds() {
  const kinds = $api.useQuery("get", "/api/credential-kinds", {}, { staleTime: Infinity });
  const nodes = $api.useQuery("get", "/api/nodes", {}, { staleTime: Infinity });
  return useMemo(() => {
    const described = kinds.data?.items ?? [];
    const known = new Set(described.map((one) => one.kind));
    const named = nodes.data?.items.flatMap((type) => type.credentials.flatMap((need) => need.kinds)) ?? [];
    return {
      isReady: kinds.data !== undefined && nodes.data !== undefined,
      described,
      /** Kinds that are typed in and have no description. */
      others: [...new Set(named)].filter((kind) => !known.has(kind)).sort(),
    };
  }, [kinds.data, nodes.data]);
}
