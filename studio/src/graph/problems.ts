// Problems that the server found, sorted to where they are shown. Must not know what they mean.
import type { Problem, WorkflowDocument } from "./document";
import { pointerOf, stepsOf } from "./pointer";

export type NodeProblems = { errors: number; warnings: number; list: Problem[] };

/** Problems by node. The paths name nodes by their place, which is looked up when no id comes with them. */
export function byNode(document: WorkflowDocument, problems: readonly Problem[]): Map<string, NodeProblems> {
  const found = new Map<string, NodeProblems>();
  for (const problem of problems) {
    const id = problem.node ?? nodeAt(document, problem.path);
    if (id === undefined || id === null) continue;
    const entry = found.get(id) ?? { errors: 0, warnings: 0, list: [] };
    entry.list.push(problem);
    if (problem.severity === "error") entry.errors += 1;
    else entry.warnings += 1;
    found.set(id, entry);
  }
  return found;
}

function nodeAt(document: WorkflowDocument, path: string): string | undefined {
  const [field, place] = stepsOf(path);
  return field === "nodes" && place !== undefined ? document.nodes[Number(place)]?.id : undefined;
}

/** Problems of one node by the pointer inside the node: `/params/text`. */
export function byField(list: readonly Problem[]): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of list) {
    const [field, place, ...inside] = stepsOf(problem.path);
    const pointer = field === "nodes" && place !== undefined ? pointerOf(inside) : "";
    found.set(pointer, [...(found.get(pointer) ?? []), problem]);
  }
  return found;
}

export const hasErrors = (problems: readonly Problem[]) =>
  problems.some((problem) => problem.severity === "error");

/** Errors first, then in the order of the document. */
export const sorted = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => Number(a.severity !== "error") - Number(b.severity !== "error"));
