// How the studio reads: what it keeps, when it asks again, and what it does when a session has ended.
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { ApiError } from "../api/client";
import { useConnection } from "../api/connection";
import { sessionQuery } from "../session/session";

/** Asking again helps only where nobody answered, or the server was not well. */
const isPassing = (error: unknown) => !(error instanceof ApiError) || error.status >= 502;

const onError = (error: unknown) => {
  if (error instanceof ApiError && error.status === 401 && error.code === "unauthenticated") {
    void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
  }
};

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (times, error) => isPassing(error) && times < 3,
      retryDelay: (times) => Math.min(500 * 2 ** times, 4000),
      refetchOnWindowFocus: true,
    },
  },
});

// What was read before the server was away may be old.
useConnection.subscribe((now, before) => {
  if (now.returns !== before.returns) void queryClient.invalidateQueries();
});
