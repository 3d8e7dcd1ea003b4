import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { api, ApiError, enterWorkspace, setApiKey, setCsrfToken } from "./client";

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const stranger = () => json(401, { error: { code: "unauthenticated", message: "Sign in.", details: null } });

let asked: Request[];
/** What the server answers, in turn. */
function answers(...turns: (() => Response)[]) {
  asked = [];
  vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
    asked.push(input instanceof Request ? input : new Request(new URL(input, location.origin), init));
    const turn = turns.shift();
    return turn ? Promise.resolve(turn()) : Promise.reject(new TypeError("nobody answers"));
  });
}

beforeEach(() => {
  sessionStorage.clear();
  setCsrfToken(null);
});
afterEach(() => vi.unstubAllGlobals());

test("an old access token is renewed once, and the request repeated", async () => {
  answers(
    stranger,
    () => json(200, { csrf_token: "fresh" }),
    () => json(200, { items: [], next: null }),
  );
  const { data } = await api.GET("/api/runs");
  expect(data?.items).toEqual([]);
  expect(asked.map((one) => new URL(one.url).pathname)).toEqual(["/api/runs", "/api/refresh", "/api/runs"]);
});

test("a session that cannot be renewed is an error with the server's words", async () => {
  answers(stranger, () => json(401, {}));
  const error = await api.GET("/api/runs").catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 401, code: "unauthenticated", message: "Sign in." });
});

test("a change by cookie carries the token against forgery, a look does not", async () => {
  setCsrfToken("token");
  answers(
    () => json(200, {}),
    () => json(200, {}),
  );
  await api.POST("/api/logout", { body: {} });
  await api.GET("/api/runs");
  expect(asked.map((one) => one.headers.get("x-csrf-token"))).toEqual(["token", null]);
});

test("a key is sent as such, names the workspace that was entered, and is never renewed", async () => {
  setApiKey("sk_1");
  enterWorkspace("ws_1");
  answers(stranger);
  await expect(api.GET("/api/runs")).rejects.toMatchObject({ status: 401 });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer sk_1");
  expect(asked[0]?.headers.get("x-sluice-workspace")).toBe("ws_1");
});

test("an answer that is no JSON is still an error with words", async () => {
  answers(() => new Response("gone fishing", { status: 418 }));
  await expect(api.GET("/api/runs")).rejects.toMatchObject({ code: "unreadable_answer", status: 418 });
});

test("long numbers come and go with all their digits", async () => {
  const text = '{"revision":1,"document":{"order":9007199254740993}}';
  const answer = () => new Response(text, { headers: { "content-type": "application/json" } });
  answers(answer, answer);
  const params = { path: { id: "wf_1" } };
  const { data } = await api.GET("/api/workflows/{id}", { params });
  await api.PUT("/api/workflows/{id}", { params, body: data as never });
  expect(await asked[1]?.text()).toBe(text);
});
