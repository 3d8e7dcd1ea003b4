// Whole numbers beyond 2^53 come back digit by digit, through everything that reads and writes documents.
import { describe, expect, it } from "vitest";

import { copyText, paste, placing, readPiece } from "./graph/clipboard";
import type { WorkflowDocument } from "./graph/document";
import { isSame } from "./graph/pointer";
import { renameReferences } from "./graph/references";
import { jsonText, numberOf, parseJson, pastedJson, rounded } from "./json";

const text =
  '{"id":9007199254740993,"list":[-123456789012345678,1,0.5],"word":"1234567890123456789","none":null}';

describe("JSON", () => {
  it("comes back byte by byte", () => {
    expect(jsonText(parseJson(text))).toBe(text);
    expect(parseJson('{"a":[1,2.5,"x"]}')).toEqual({ a: [1, 2.5, "x"] });
  });
  it("says in words that what was pasted is none", () => {
    expect(pastedJson(text)).toEqual(parseJson(text));
    expect(() => pastedJson("hello")).toThrow(/^This is not JSON: /);
  });
  it("makes a big integer only where a number would lose digits", () => {
    expect(numberOf("9007199254740991")).toBe(9007199254740991);
    expect(numberOf("9007199254740993")).toBe(9007199254740993n);
    expect(numberOf("0.12345678901234567890")).toBe(0.12345678901234568);
    expect(numberOf("1e300")).toBe(1e300);
  });
  it("tells what is no JSON, long numbers or not", () => {
    expect(() => parseJson('{"a": 12345678901234567890,}')).toThrow(SyntaxError);
    expect(() => parseJson("{")).toThrow(SyntaxError);
  });
  it("still refuses what goes around in a circle", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => jsonText(circle)).toThrow();
  });
  it("is rounded for those who only judge it", () => {
    expect(rounded(parseJson('{"a":[12345678901234567]}'))).toEqual({ a: [12345678901234568] });
  });
});

describe("a document with long numbers", () => {
  const document = parseJson(
    `{"sluice":1,"name":"Long","nodes":[{"id":"a","type":"t","params":{"order":9007199254740993,"say":"{{ node('a').json }}"},"position":{"x":0,"y":0}}],"edges":[]}`,
  ) as WorkflowDocument;
  const order = (node: { params?: unknown } | undefined) => (node?.params as { order?: unknown })?.order;
  it("is the same as another one only with the same digits", () => {
    expect(isSame(document, parseJson(jsonText(document)))).toBe(true);
    expect(isSame(parseJson("9007199254740993"), parseJson("9007199254740992"))).toBe(false);
  });
  it("is copied, pasted and renamed in with its digits", () => {
    const piece = readPiece(copyText(document, new Set(["a"])));
    if (!piece) throw new Error("nothing was copied");
    const pasted = paste(document, piece, placing(piece.nodes)).document;
    expect(pasted.nodes.map(order)).toEqual([9007199254740993n, 9007199254740993n]);
    expect(order({ params: renameReferences(document.nodes[0]?.params, new Map([["a", "b"]])) })).toBe(
      9007199254740993n,
    );
  });
});
