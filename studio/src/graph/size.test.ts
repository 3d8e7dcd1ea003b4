// Where a node's ports are is told, not measured: it must be what the canvas draws.
import { expect, test } from "vitest";

import { catalogueOf, portsOfNode } from "./catalogue";
import { NODE_WIDTH, portBoxes, sizeOf } from "./size";
import { node, typeOf } from "./testing";

const catalogue = catalogueOf([typeOf("one", ["main"], ["main"]), typeOf("two", ["main"], ["yes", "no"])]);
const middles = (type: string) =>
  portBoxes(portsOfNode(catalogue, node("n", type))).map(({ id, side, x, y, width, height }) => [
    id,
    side,
    x + width / 2,
    y + height / 2,
  ]);

test("the usual ports are beside the head, failures leave below", () => {
  expect(middles("one")).toEqual([
    ["main", "left", 0, 26],
    ["main", "right", NODE_WIDTH, 26],
    ["error", "bottom", NODE_WIDTH / 2, 52],
  ]);
});

test("several ports are listed below the head", () => {
  const { height } = sizeOf(portsOfNode(catalogue, node("n", "two")));
  expect(middles("two")).toEqual([
    ["main", "left", 0, 62],
    ["yes", "right", NODE_WIDTH, 62],
    ["no", "right", NODE_WIDTH, 82],
    ["error", "bottom", NODE_WIDTH / 2, height],
  ]);
});

test("a node of an unknown type has none", () => {
  expect(middles("unknown")).toEqual([]);
});
