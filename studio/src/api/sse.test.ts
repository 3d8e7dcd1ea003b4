import { expect, test } from "vitest";

import { readEvents, type ServerEvent } from "./sse";

async function read(...parts: string[]) {
  const events: ServerEvent[] = [];
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part));
      controller.close();
    },
  });
  await readEvents(body, (event) => events.push(event));
  return events;
}

test("an event has an id, a name and data", async () => {
  expect(await read('id: 4.1\nevent: node.succeeded\ndata: {"a":1}\n\n')).toEqual([
    { id: "4.1", event: "node.succeeded", data: '{"a":1}' },
  ]);
});

test("events may be cut anywhere, even within a line break", async () => {
  const whole = "id: 1\r\nevent: a\r\ndata: x\r\n\r\nid: 2\r\nevent: b\r\ndata: y\r\n\r\n";
  for (let at = 1; at < whole.length; at += 1) {
    const events = await read(whole.slice(0, at), whole.slice(at));
    expect(events.map((event) => event.data)).toEqual(["x", "y"]);
  }
});

test("comments keep the connection alive and are no events", async () => {
  expect(await read(": beat\n\n", "data: x\n\n")).toEqual([{ id: null, event: "message", data: "x" }]);
});

test("data of several lines is joined, and what is not finished is not told", async () => {
  expect(await read("data: a\ndata: b\n\ndata: half")).toEqual([
    { id: null, event: "message", data: "a\nb" },
  ]);
});
