// Documents to the canvas and back, edits, ids, history, clipboard, layout: nothing gets lost, nothing reshuffles.
import { describe, expect, it } from "vitest";

import { annotationsOf, moveAnnotations, putGroup, putNote, removeAnnotations } from "./annotations";
import { catalogueOf, initialParams, paletteGroups, portsOfNode } from "./catalogue";
import { copyText, paste, placing, readPiece } from "./clipboard";
import { edgeKey, endpoint, endpointText, type WorkflowDocument } from "./document";
import { addNodes, connect, moveNodes, patchNode, remove, renameNode } from "./edit";
import { elementsOf } from "./elements";
import { change, historyOf, redo, undo } from "./history";
import { freeId, idFromLabel, isNodeId } from "./ids";
import { placeAll, placesFor } from "./layout";
import { branching, catalogue, node, typeOf, workflow } from "./testing";

describe("the document", () => {
  it("keeps unknown fields and every order through a move", () => {
    const strange = {
      sluice: 1,
      later: { a: [1] },
      name: "x",
      edges: [{ to: "b", from: "a.main", colour: "red" }],
      nodes: [
        { type: "do.work", id: "a", params: {}, future: 7, position: { x: 1, y: 2, z: 3 } },
        { params: { z: 1, a: 2 }, id: "b", type: "do.work" },
      ],
    } as unknown as WorkflowDocument;
    const elements = elementsOf(strange, catalogue, null);
    const places = new Map(elements.nodes.map((element) => [element.id, element.position]));
    expect(JSON.stringify(moveNodes(strange, new Map([["a", places.get("a")!]])))).toBe(
      JSON.stringify(strange),
    );
    const moved = moveNodes(strange, new Map([["b", { x: 10.4, y: 5 }]]));
    expect(moved.nodes[1]).toEqual({ ...strange.nodes[1], position: { x: 10, y: 5 } });
    expect(JSON.stringify({ ...moved, nodes: strange.nodes })).toBe(JSON.stringify(strange));
  });

  it("reads and writes edge ends", () => {
    expect(endpoint("a.true")).toEqual({ node: "a", port: "true" });
    expect(endpointText({ node: "a", port: "main" })).toBe("a");
    expect(edgeKey({ from: "a.main", to: "b" })).toBe(edgeKey({ from: "a", to: "b.main" }));
  });

  it("draws again only what changed", () => {
    const before = elementsOf(branching, catalogue, null);
    const after = elementsOf(patchNode(branching, "low", { label: "Low" }), catalogue, before);
    const same = after.nodes.filter((element, place) => element === before.nodes[place]);
    expect(same.map((element) => element.id)).toEqual(["begin", "ask", "high"]);
    expect(after.edges.every((edge, place) => edge === before.edges[place])).toBe(true);
  });

  it("removes a node with its edges and fixtures", () => {
    const next = remove({ ...branching, fixtures: { ask: [1], low: [2] } }, new Set(["ask"]));
    expect(next.nodes.map((each) => each.id)).toEqual(["begin", "high", "low"]);
    expect(next.edges).toEqual([]);
    expect(next.fixtures).toEqual({ low: [2] });
  });

  it("renames everywhere", () => {
    const full = {
      ...branching,
      fixtures: { begin: [{ json: {} }] },
      tests: [{ name: "t", node: "begin", expect: { ran: ["begin", "ask"], output: { begin: [] } } }],
    };
    const next = renameNode(full, "begin", "start");
    expect(next.nodes[0]?.id).toBe("start");
    expect(next.nodes[2]?.params.text).toBe('Hi {{ node("start").json.name }}');
    expect(next.edges[0]).toEqual({ from: "start", to: "ask" });
    expect(next.edges[1]).toBe(full.edges[1]);
    expect(JSON.stringify([next.fixtures, next.tests])).not.toContain("begin");
  });
});

describe("ids", () => {
  it.each([
    ["Send a message!", "send-a-message"],
    ["Grüße", "grusse"],
    ["  42 things ", "things"],
    ["नमस्ते", "node"],
    ["x".repeat(80), "x".repeat(64)],
  ])("%s becomes %s", (label, id) => {
    expect(idFromLabel(label)).toBe(id);
    expect(isNodeId(id)).toBe(true);
  });
  it("numbers what is taken", () => {
    expect(freeId("send", new Set(["send", "send-2"]))).toBe("send-3");
    expect(freeId("x".repeat(64), new Set(["x".repeat(64)]))).toHaveLength(64);
  });
});

describe("the catalogue", () => {
  it("tells ports that a parameter names, and the error port", () => {
    const pick = node("p", "do.pick", { cases: [{ name: "a" }, { when: "x" }, { name: "b" }] });
    expect(portsOfNode(catalogue, pick)?.outputs.map((port) => port.name)).toEqual([
      "a",
      "b",
      "default",
      "error",
    ]);
    expect(portsOfNode(catalogue, node("x", "who.knows"))).toBeNull();
  });
  it("finds types by words, triggers first", () => {
    expect(paletteGroups(catalogue, "").map((group) => group.service)).toEqual(["start", "do"]);
    expect(paletteGroups(catalogue, "does ROUND")[0]?.types.map((type) => type.type)).toEqual(["do.round"]);
  });
  it("begins with what the schema fixes", () => {
    const schema = {
      oneOf: [
        { properties: { type: { const: "text" }, text: { type: "string" } }, required: ["type", "text"] },
      ],
    };
    expect(initialParams(typeOf("a.b", [], [], { params_schema: schema as never }))).toEqual({
      type: "text",
    });
    expect(catalogueOf([]).byType.size).toBe(0);
  });
});

describe("history", () => {
  it("undoes, redoes, and joins quick changes of one kind", () => {
    let history = historyOf("");
    history = change(history, "a", 0, "typing");
    history = change(history, "ab", 500, "typing");
    history = change(history, "abc", 5_000, "typing");
    history = change(history, "abc!", 5_100);
    expect(history.past).toEqual(["", "ab", "abc"]);
    history = undo(undo(history));
    expect(history.present).toBe("ab");
    expect(redo(history).present).toBe("abc");
    expect(redo(change(history, "x", 9_000)).present).toBe("x");
    expect(undo(historyOf(1)).present).toBe(1);
  });
});

describe("the clipboard", () => {
  it("carries nodes with their edges into another workflow under free ids", () => {
    const piece = readPiece(copyText(branching, new Set(["begin", "high", "ask"])));
    expect(piece?.edges).toHaveLength(2);
    const { document, ids } = paste(branching, piece!, placing(piece!.nodes, { x: 100, y: 100 }));
    expect(ids).toEqual(["begin-2", "ask-2", "high-2"]);
    expect(document.nodes.at(-1)?.params.text).toBe('Hi {{ node("begin-2").json.name }}');
    expect(document.edges.slice(-2)).toEqual([
      { from: "begin-2", to: "ask-2" },
      { from: "ask-2.true", to: "high-2" },
    ]);
  });
  it("takes whole documents and nothing else", () => {
    expect(readPiece(JSON.stringify(branching))?.nodes).toHaveLength(4);
    for (const text of ["", "hello", "{}", "[]", "null", '{"sluice":1,"nodes":[]}'])
      expect(readPiece(text)).toBeNull();
  });
});

describe("layout", () => {
  it("goes from left to right without overlaps", () => {
    const places = placesFor(branching, catalogue);
    expect(places.get("begin")!.x).toBeLessThan(places.get("ask")!.x);
    expect(places.get("ask")!.x).toBeLessThan(places.get("high")!.x);
    expect(Math.abs(places.get("high")!.y - places.get("low")!.y)).toBeGreaterThan(50);
  });
  it("places only what has no place", () => {
    const one = patchNode(branching, "ask", { position: { x: 5, y: 5 } });
    expect([...placeAll(one, catalogue).keys()].sort()).toEqual(["begin", "high", "low"]);
    expect(placeAll(workflow([node("a", "do.work", {}, { position: { x: 0, y: 0 } })]), catalogue).size).toBe(
      0,
    );
  });
});

describe("notes and groups", () => {
  it("live in `canvas` beside what others put there", () => {
    const note = { id: "note:1", text: "Hi", position: { x: 0, y: 0 }, size: { width: 10, height: 10 } };
    const group = { id: "group:1", title: "G", position: { x: 0, y: 0 }, size: { width: 10, height: 10 } };
    let document: WorkflowDocument = { ...branching, canvas: { theirs: true, notes: ["?"] } };
    document = putGroup(putNote(document, note), group);
    document = moveAnnotations(document, new Map([["note:1", { x: 3, y: 4 }]]));
    expect(annotationsOf(document).notes).toEqual([{ ...note, position: { x: 3, y: 4 } }]);
    document = removeAnnotations(document, new Set(["note:1", "group:1"]));
    expect(document.canvas).toEqual({ theirs: true });
    expect("canvas" in removeAnnotations(putNote(branching, note), new Set(["note:1"]))).toBe(false);
  });
});

it("adds and connects at the end", () => {
  const next = connect(
    addNodes(branching, [node("new", "do.work")]),
    { node: "high", port: "main" },
    { node: "new", port: "main" },
  );
  expect(next.nodes.at(-1)?.id).toBe("new");
  expect(next.edges.at(-1)).toEqual({ from: "high", to: "new" });
});
