// For addresses that lead nowhere, and for faults of the studio itself.
import { isRouteErrorResponse, useRouteError } from "react-router";

import { Button, ButtonLink } from "../ui/Button";
import { EmptyState } from "../ui/Note";
import { useTitle } from "../ui/title";

export function NotFound() {
  useTitle("Not found");
  return (
    <div className="mx-auto w-full max-w-xl p-6">
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        title="There is no page at this address."
        action={<ButtonLink to="/">To the beginning</ButtonLink>}
      />
    </div>
  );
}

/** A part of the program that is not there any more: the server was given a newer studio meanwhile. */
const isOldStudio = (error: unknown) =>
  error instanceof Error &&
  /dynamically imported module|Importing a module script failed/.test(error.message);

export function Fault() {
  const error = useRouteError();
  useTitle("Fault");
  if (isRouteErrorResponse(error) && error.status === 404) return <NotFound />;
  const message = isOldStudio(error)
    ? "The studio could not load a part of itself. The server may be away, or have a newer one."
    : "The studio made a mistake.";
  return (
    <main className="mx-auto w-full max-w-xl p-6">
      <h1 className="sr-only">Fault</h1>
      <EmptyState
        title={message}
        action={<Button onClick={() => location.reload()}>Load the page again</Button>}
      >
        {error instanceof Error && !isOldStudio(error) && (
          <code className="text-xs break-words">{error.message}</code>
        )}
      </EmptyState>
    </main>
  );
}
