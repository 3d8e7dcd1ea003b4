// A small catalogue and a workflow for the tests of this folder. Not part of the studio.
import { catalogueOf, type NodeType } from "./catalogue";
import type { NodeDoc, WorkflowDocument } from "./document";

const port = (name: string) => ({ name, help: `Port ${name}` });

export function typeOf(
  type: string,
  inputs: string[],
  outputs: string[],
  more: Partial<NodeType> = {},
): NodeType {
  return {
    type,
    version: 1,
    title: type,
    summary: `What ${type} does`,
    docs: "",
    effect: "pure",
    effect_by_param: null,
    inputs: { fixed: inputs.map(port), from_param: null },
    outputs: { fixed: outputs.map(port), from_param: null },
    trigger: null,
    loop_entry: false,
    credentials: [],
    raw_params: [],
    timeout_ms: 30_000,
    retry: {},
    params_schema: { type: "object" } as never,
    examples: [],
    ...more,
  };
}

export const catalogue = catalogueOf([
  typeOf("start.hand", [], ["main"], { trigger: { source: { kind: "manual" }, competes: false } as never }),
  typeOf("do.work", ["main"], ["main"]),
  typeOf("do.ask", ["main"], ["true", "false"]),
  typeOf("do.join", ["main", "other"], ["main"]),
  typeOf("do.round", ["main"], ["each", "done"], { loop_entry: true }),
  typeOf("do.pick", ["main"], ["default"], {
    outputs: { fixed: [port("default")], from_param: { pointer: "/cases", field: "name" } as never },
  }),
]);

export const node = (
  id: string,
  type: string,
  params: Record<string, unknown> = {},
  more: Partial<NodeDoc> = {},
): NodeDoc => ({
  id,
  type,
  params,
  ...more,
});

export const edges = (...ways: string[]) =>
  ways.map((way) => {
    const [from = "", to = ""] = way.split(" > ");
    return { from, to };
  });

export const workflow = (nodes: NodeDoc[], ...ways: string[]): WorkflowDocument => ({
  sluice: 1,
  name: "Test",
  nodes,
  edges: edges(...ways),
});

export const branching = workflow(
  [
    node("begin", "start.hand"),
    node("ask", "do.ask", { condition: "{{ json.score > 10 }}" }),
    node("high", "do.work", { text: 'Hi {{ node("begin").json.name }}' }),
    node("low", "do.work"),
  ],
  "begin > ask",
  "ask.true > high",
  "ask.false > low",
);
