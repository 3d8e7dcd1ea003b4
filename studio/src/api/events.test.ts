import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { follow, type LiveEvent, type StreamState } from "./events";

const event = (id: string, name: string) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify({ event: name, run_id: "run_1", workflow_id: "wf_1", seq: 1, at: 1 })}\n\n`;

/** A stream that ends after what it says. */
const stream = (...parts: string[]) => {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(encoder.encode(part));
      controller.close();
    },
  });
  return new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } });
};
const over = () => new Response(null, { status: 204 });

let asked: Request[];
function answers(...turns: (() => Response)[]) {
  asked = [];
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(request);
    const turn = turns.shift();
    return turn ? Promise.resolve(turn()) : Promise.reject(new TypeError("nobody answers"));
  });
}

/** Follows until the stream is over; tells what was heard. */
const hear = () =>
  new Promise<{ batches: string[][]; resets: number; states: StreamState[] }>((done) => {
    const heard = { batches: [] as string[][], resets: 0, states: [] as StreamState[] };
    follow("/api/stream", {
      onEvents: (events: LiveEvent[]) => heard.batches.push(events.map((one) => one.event)),
      onReset: () => (heard.resets += 1),
      onState: (state) => {
        heard.states.push(state);
        if (state === "over" || state === "refused") done(heard);
      },
    });
  });

beforeEach(() => sessionStorage.setItem("sluice.key", "sk_1"));
afterEach(() => vi.unstubAllGlobals());

test("it goes on after the last event that it heard", async () => {
  answers(() => stream(event("1.0", "run.started"), event("2.0", "node.started")), over);
  const { batches, states } = await hear();
  expect(batches.flat()).toEqual(["run.started", "node.started"]);
  expect(asked.map((one) => one.headers.get("last-event-id"))).toEqual([null, "2.0"]);
  expect(states).toEqual(["connecting", "open", "over"]);
});

test("a thousand events are few handings-over", async () => {
  const many = Array.from({ length: 1000 }, (_, index) => event(`${index}.0`, "node.succeeded"));
  answers(() => stream(...many), over);
  const { batches } = await hear();
  expect(batches.flat()).toHaveLength(1000);
  expect(batches.length).toBeLessThan(50);
});

test("that events were missed is told, and is no event", async () => {
  answers(() => stream('id: e-1\nevent: stream.reset\ndata: {"reason":"x"}\n\n'), over);
  expect(await hear()).toMatchObject({ batches: [], resets: 1 });
});

test("a server that is away is asked again; one that says no is not", async () => {
  answers(
    () => new Response("{}", { status: 503, headers: { "content-type": "application/json" } }),
    () => new Response("{}", { status: 403, headers: { "content-type": "application/json" } }),
  );
  const { states } = await hear();
  expect(states).toEqual(["connecting", "refused"]);
  expect(asked).toHaveLength(2);
});
