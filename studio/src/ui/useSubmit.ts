// One thing that a form does: whether it is under way, and what the server said against it. Must not know forms' fields.
import { useState, type FormEvent } from "react";

import { ApiError } from "../api/client";

/** The server points at fields as RFC 6901 does (`/name`), at headers and questions by their names. */
const fieldAt = (path: unknown) => (typeof path === "string" ? path.replace(/^\//, "") : null);

/** `fields` are the names that the form shows by themselves (`limits/members` belongs to `limits`); an error elsewhere is
 * `error`. */
export function useSubmit<Arguments extends unknown[]>(
  action: (...given: Arguments) => Promise<unknown>,
  fields: readonly string[] = [],
) {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const path = fault instanceof ApiError ? fieldAt(fault.details.path) : null;
  const field = fields.find((name) => path === name || path?.startsWith(`${name}/`)) ?? null;
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
