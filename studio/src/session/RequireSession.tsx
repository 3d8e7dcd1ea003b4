// Lets people in who are signed in, and leads others to the door. Must not know what lies behind.
import { Navigate, Outlet, useLocation } from "react-router";

import { Loading } from "../ui/Spinner";
import { ErrorNote } from "../ui/Note";
import { SessionContext, useSessionQuery } from "./session";

export function RequireSession() {
  const { data: session, error, refetch, isPending } = useSessionQuery();
  const place = useLocation();
  if (session) {
    return (
      <SessionContext value={session}>
        <Outlet />
      </SessionContext>
    );
  }
  if (isPending) return <Loading />;
  if (error) {
    return (
      <main className="mx-auto max-w-lg p-6">
        <ErrorNote error={error} onRetry={() => void refetch()} />
      </main>
    );
  }
  const there = place.pathname + place.search;
  return <Navigate replace to={there === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(there)}`} />;
}
