// The rules of connecting: each refusal says why.
import { describe, expect, it } from "vitest";

import { canConnect, firstInput } from "./connect";
import { endpoint } from "./document";
import { branching, catalogue, node, workflow } from "./testing";

const ask = (document: typeof branching, from: string, to: string) => {
  const verdict = canConnect(document, catalogue, endpoint(from), endpoint(to));
  return verdict.ok ? "ok" : verdict.reason;
};

const loop = [
  node("begin", "start.hand"),
  node("round", "do.round"),
  node("work", "do.work"),
  node("after", "do.work"),
];

describe("canConnect", () => {
  it.each([
    ["high", "low", "ok"],
    ["high.error", "low", "ok"],
    ["begin", "ask", "These two are connected already."],
    ["high", "begin", "“begin” starts the workflow; nothing can lead to it."],
    ["ask", "high", "“ask” has no output “main”."],
    ["high", "low.other", "“low” has no input “other”."],
    ["high", "high", "A node cannot lead to itself, unless it is a loop."],
    ["nobody", "low", "There is no node “nobody”."],
  ])("%s to %s: %s", (from, to, answer) => {
    expect(ask(branching, from, to)).toBe(answer);
  });

  it("refuses a cycle and says what may close one", () => {
    expect(ask(branching, "high", "ask")).toMatch(/would close a cycle/);
  });

  it("lets an edge return to a loop", () => {
    expect(ask(workflow(loop, "begin > round", "round.each > work"), "work", "round")).toBe("ok");
    expect(ask(workflow(loop, "begin > round", "work > round"), "round.each", "work")).toBe("ok");
    expect(ask(workflow(loop, "begin > round"), "round.each", "round")).toBe("ok");
  });

  it("refuses to go around the loop, from either side", () => {
    const closed = workflow(loop, "begin > round", "round.each > work", "work > round");
    expect(ask(closed, "begin", "work")).toMatch(/second way into the body/);
    const around = workflow(loop, "begin > round", "begin > work", "round.each > work");
    expect(ask(around, "work", "round")).toMatch(/would close a cycle/);
  });

  it("still connects elsewhere when an imported document has a cycle", () => {
    const broken = workflow(
      [node("a", "do.work"), node("b", "do.work"), node("c", "do.work")],
      "a > b",
      "b > a",
    );
    expect(ask(broken, "b", "c")).toBe("ok");
    expect(ask(broken, "c", "a")).toBe("ok");
  });

  it("cannot judge ports of a type that it does not know", () => {
    const strange = workflow([node("a", "do.work"), node("x", "who.knows")]);
    expect(ask(strange, "a", "x")).toBe("ok");
    expect(ask(strange, "x.anything", "a")).toBe("ok");
  });

  it("finds the first free input", () => {
    const joined = workflow([node("a", "do.work"), node("j", "do.join")], "a > j");
    expect(firstInput(joined, catalogue, endpoint("a"), "j")).toEqual({ to: { node: "j", port: "other" } });
    expect(firstInput(branching, catalogue, endpoint("low"), "begin")).toEqual({
      reason: "“begin” starts the workflow; nothing can lead to it.",
    });
  });
});
