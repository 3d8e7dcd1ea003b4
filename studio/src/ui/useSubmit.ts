// One thing that a form does: whether it is under way, and what the server said against it. Must not know forms' fields.
import { useState, type FormEvent } from "react";

import { ApiError } from "../api/client";

/** `fields` are the paths that the form shows by themselves; an error elsewhere is `error`. */
export function useSubmit<Arguments extends unknown[]>(
  action: (...given: Arguments) => Promise<unknown>,
  fields: readonly string[] = [],
) {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const path = fault instanceof ApiError ? fault.details.path : undefined;
  const field = typeof path === "string" && fields.includes(path) ? path : null;
  const run = async (...given: Arguments) => {
    setBusy(true);
    setFault(null);
    try {
      await action(...given);
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  return {
    isBusy,
    /** What belongs to no field of the form. */
    error: field ? null : fault,
    /** What the server says of a field. */
    errorAt: (name: string) => (field === name && fault instanceof Error ? fault.message : undefined),
    clear: () => setFault(null),
    run,
    /** For `<form onSubmit>`, when nothing is given. */
    onSubmit: (event: FormEvent) => {
      event.preventDefault();
      void run(...([] as unknown as Arguments));
    },
  };
}
