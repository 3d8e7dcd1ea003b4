// What the fields of a form know of the node beside their own value: its problems by place, the data that expressions
// see, the credentials there are.
import { createContext, use } from "react";

import type { Language } from "../../graph/completion";
import type { Problem } from "../../graph/document";
import { pointerOf } from "../../graph/pointer";
import type { Sample } from "../../graph/sample";

export type Fields = {
  problems: ReadonlyMap<string, Problem[]>;
  sample: Sample;
  language: Language;
  names: { id: string; label: string }[];
  timezone: string | null | undefined;
  isReadOnly: boolean;
};

export const FieldsContext = createContext<Fields | null>(null);

export function useFields(): Fields {
  const fields = use(FieldsContext);
  if (!fields) throw new Error("fields need <FieldsContext>");
  return fields;
}

/** The problems at a parameter. */
export function useProblemsAt(path: readonly (string | number)[]): Problem[] {
  return useFields().problems.get(pointerOf(["params", ...path])) ?? [];
}
