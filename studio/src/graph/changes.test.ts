// Diffs, merges, problems, samples, completion, runs: what the builder works out of documents and runs.
import { describe, expect, it } from "vitest";

import { complete, codeStart, hasExpression } from "./completion";
import { diff } from "./diff";
import { patchNode, remove } from "./edit";
import { compare, merged } from "./merge";
import { byField, byNode, sorted } from "./problems";
import { pinsToRunFrom } from "./runRequest";
import { afterEvents, statesOfRun, type RunView } from "./runStates";
import { sampleFor } from "./sample";
import { branching, node } from "./testing";

const item = (json: unknown) => ({ json });
const nodeRun = (id: string, output: object, more: object = {}) => ({
  id,
  type: "x",
  label: null,
  status: "succeeded",
  iteration: 0,
  attempt: 1,
  started_at: 10,
  ended_at: 14,
  input: {},
  output,
  error: null,
  retry_at: null,
  wait: null,
  logs: [],
  ...more,
});
const run = {
  id: "run_1",
  workflow_id: "wf_1",
  started_at: 10,
  nodes: [
    nodeRun("begin", { main: [item({ name: "Asha", score: 41, contact: { name: "Asha" } })] }),
    nodeRun("ask", { true: [item({ name: "Asha", score: 41 })] }),
    nodeRun("high", {}, { status: "failed", error: { message: "No" } }),
    nodeRun("low", {}, { status: "skipped", started_at: null }),
  ],
} as unknown as RunView;

describe("diff", () => {
  it("tells what was added, removed, changed and moved", () => {
    let after = remove(branching, new Set(["low"]));
    after = patchNode(after, "high", { params: { text: "Bye" } });
    after = patchNode(after, "ask", { position: { x: 1, y: 1 } });
    after = { ...after, settings: { timezone: "UTC" } };
    const changes = diff(branching, after).map((change) => `${change.kind} ${change.title} ${change.what}`);
    expect(changes.sort()).toEqual([
      "edge ask.false → low removed",
      "node ask moved",
      "node high changed",
      "node low removed",
      "setting timezone added",
    ]);
    const [high] = diff(branching, after).filter((change) => change.title === "high");
    expect(high?.details).toEqual([
      { path: "/params/text", before: branching.nodes[2]?.params.text, after: "Bye" },
    ]);
    expect(diff(branching, structuredClone(branching))).toEqual([]);
  });
});

describe("merge", () => {
  const mine = patchNode(patchNode(branching, "high", { label: "Mine" }), "ask", { label: "Ask" });
  const theirs = patchNode({ ...branching, description: "New" }, "high", { label: "Theirs" });

  it("brings both together and asks only where they clash", () => {
    const found = compare(branching, mine, theirs);
    expect(found.clashes.map((clash) => clash.key)).toEqual(["nodes/high"]);
    const kept = merged(branching, mine, theirs, new Map());
    expect(kept.description).toBe("New");
    expect(kept.nodes.map((each) => each.label)).toEqual([undefined, "Ask", "Mine", undefined]);
    expect(kept.nodes.map((each) => each.id)).toEqual(branching.nodes.map((each) => each.id));
    const given = merged(branching, mine, theirs, new Map([["nodes/high", "theirs"]]));
    expect(given.nodes[2]?.label).toBe("Theirs");
  });

  it("leaves no edge to a node that the other side removed", () => {
    const gone = remove(branching, new Set(["low"]));
    const linked = { ...branching, edges: [...branching.edges, { from: "low", to: "high" }] };
    expect(merged(branching, linked, gone, new Map()).edges).toEqual(gone.edges);
  });

  it("gives the same bytes when only one side changed", () => {
    expect(JSON.stringify(merged(branching, mine, branching, new Map()))).toBe(JSON.stringify(mine));
    expect(JSON.stringify(merged(branching, branching, theirs, new Map()))).toBe(JSON.stringify(theirs));
  });
});

it("sorts problems to nodes and fields", () => {
  const problem = (path: string, severity: "error" | "warning", id?: string) => ({
    code: "x",
    path,
    severity,
    message: path,
    node: id ?? null,
  });
  const list = [
    problem("/nodes/1/params/condition", "warning"),
    problem("/nodes/2/type", "error", "high"),
    problem("/name", "error"),
  ];
  const found = byNode(branching, list);
  expect([...found.keys()]).toEqual(["ask", "high"]);
  expect([...byField(found.get("ask")!.list).keys()]).toEqual(["/params/condition"]);
  expect(sorted(list)[0]?.path).toBe("/nodes/2/type");
});

describe("runs", () => {
  it("shows the latest state of each node", () => {
    expect(statesOfRun(run).high).toMatchObject({ status: "failed", error: "No" });
    expect(statesOfRun(run).begin).toEqual({
      status: "succeeded",
      attempt: 1,
      ms: 4,
      counts: { main: 1 },
      runs: 1,
    });
  });
  it("follows events and leaves the rest alone", () => {
    const event = (name: string, id: string | undefined, at: number, data = {}) => ({
      event: name,
      run_id: "r",
      workflow_id: "w",
      seq: 0,
      at,
      node: id,
      data,
    });
    const before = {};
    expect(afterEvents(before, [event("run.started", undefined, 0)])).toBe(before);
    const after = afterEvents(before, [
      event("node.started", "a", 5),
      event("node.succeeded", "a", 9, { output: { true: [1, 2] } }),
      event("node.failed", "b", 9, { error: { message: "Bad" }, retry_at: 100 }),
    ]);
    expect(after.a).toMatchObject({ status: "succeeded", ms: 4, counts: { true: 2 } });
    expect(after.b).toMatchObject({ status: "waiting", error: "Bad" });
  });
  it("pins what is not run again", () => {
    expect(pinsToRunFrom(branching, run, "high")).toEqual({
      ask: { true: [{ json: { name: "Asha", score: 41 } }] },
    });
    const chain = { ...branching, nodes: [...branching.nodes, node("mid", "do.work")] };
    const more = { ...run, nodes: [...run.nodes, nodeRun("mid", { main: [item(1)] })] } as unknown as RunView;
    expect(
      pinsToRunFrom(
        {
          ...chain,
          edges: [
            { from: "begin", to: "mid" },
            { from: "mid", to: "high" },
          ],
        },
        more,
        "high",
      ),
    ).toMatchObject({
      mid: [{ json: 1 }],
    });
  });
});

describe("completion", () => {
  const sample = sampleFor(branching, run, "high");
  const language = {
    functions: [{ name: "upper", signature: "upper(text)", help: "Big" }],
    variables: [{ name: "json", help: "Item" }],
  };
  const names = [{ id: "begin", label: "" }];
  const labels = (text: string, at = text.length) =>
    complete(text, at, sample, language, names)?.options.map((option) => option.label);

  it("knows what flows into a node", () => {
    expect(sample.json).toEqual({ name: "Asha", score: 41 });
    expect(sample.contact).toEqual({ name: "Asha" });
    expect(sampleFor({ ...branching, fixtures: { begin: [{ json: 1 }] } }, null, "ask").json).toBe(1);
  });
  it("offers fields, variables, nodes and functions", () => {
    expect(labels("Hi {{ json.na")).toEqual(["name", "score", "upper"]);
    expect(labels("{{ ")).toEqual([
      "json",
      "trigger",
      "contact",
      "run",
      "workflow",
      'node("begin")',
      "upper",
    ]);
    expect(labels('{{ node("begin").json.contact.')).toEqual(["name", "upper"]);
    expect(labels('{{ node("be')).toEqual(["begin"]);
    expect(labels("Hi json.")).toBeUndefined();
    expect(labels('{{ "json.')).toBeUndefined();
  });
  it("finds expressions", () => {
    expect(codeStart("a {{ b", 6)).toBe(4);
    expect(codeStart("a {{ b }} c", 11)).toBeNull();
    expect(hasExpression("\\{{1}}")).toBe(false);
    expect(hasExpression("x {{ 1 }}")).toBe(true);
  });
});
