// The only place that talks to the server: documented REST, with types made from the OpenAPI document. Must not know
// pages. A person signs in and is known by cookies; whoever has an API key may use the studio with it instead.
import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryHooks from "openapi-react-query";

import { jsonText, parseJson } from "../json";
import { connection } from "./connection";
import type { components, paths } from "./schema";

/** What the API calls by this name, such as `Schema<"RunView">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** An answer of the server that is none of the expected ones; `code` is for programs, `message` for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown>,
    readonly requestId: string | null,
  ) {
    super(message);
  }
}

/** Where an API key is kept: until the browser's tab is closed. */
const KEY = "sluice.key";
/** The workspace that this tab works in without being a member, for those who may enter every workspace. */
const ENTERED = "sluice.workspace";
let csrfToken: string | null = null;

const keep = (place: string, value: string | null) =>
  value ? sessionStorage.setItem(place, value) : sessionStorage.removeItem(place);

export const apiKey = () => sessionStorage.getItem(KEY);
export const setApiKey = (key: string | null) => keep(KEY, key);
export const enteredWorkspace = () => sessionStorage.getItem(ENTERED);
export const enterWorkspace = (workspace: string | null) => keep(ENTERED, workspace);
/** Login, refresh and `GET /api/me` tell it; every change by cookie must send it. */
export const setCsrfToken = (token: string | null) => {
  csrfToken = token;
};

/** Headers that say who asks, and in which workspace. Also for the few requests that are no JSON (streams, downloads). */
export function credentials(method: string): Record<string, string> {
  const headers: Record<string, string> = {};
  const key = apiKey();
  const workspace = enteredWorkspace();
  if (workspace) headers["x-sluice-workspace"] = workspace;
  if (key) headers.authorization = `Bearer ${key}`;
  else if (csrfToken && method !== "GET" && method !== "HEAD") headers["x-csrf-token"] = csrfToken;
  return headers;
}

/** Tabs take turns: a refresh token that comes a second time ends the session. */
async function refresh(): Promise<boolean> {
  const renew = async () => {
    const answer = await fetch("/api/refresh", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    if (!answer.ok) return false;
    const body = (await answer.json()) as { csrf_token?: string };
    setCsrfToken(body.csrf_token ?? csrfToken);
    return true;
  };
  // Browsers give locks to secure origins only; elsewhere the tab takes its turn at once.
  return navigator.locks ? navigator.locks.request("sluice.refresh", renew) : renew();
}

/** `fetch` as this person or key; an access token that is too old is renewed once. */
export async function send(request: Request): Promise<Response> {
  const signed = async () => {
    const copy = request.clone();
    for (const [name, value] of Object.entries(credentials(request.method))) copy.headers.set(name, value);
    try {
      const answer = await fetch(copy);
      connection.heard(answer);
      return answer;
    } catch (fault) {
      if (!request.signal.aborted) connection.lost();
      throw fault;
    }
  };
  const answer = await signed();
  const isSession = !apiKey() && !/\/api\/(login|refresh|logout)$/.test(new URL(request.url).pathname);
  return answer.status === 401 && isSession && (await refresh()) ? signed() : answer;
}

/** What an answer holds, long numbers with all their digits. */
export const readJson = async (answer: Response): Promise<unknown> => parseJson(await answer.text());

/** An answer that the typed client reads as [readJson] does. */
async function exact(request: Request): Promise<Response> {
  const answer = await send(request);
  if (!answer.headers.get("content-type")?.includes("json")) return answer;
  const text = await answer.text();
  const { status, statusText } = answer;
  const headers = new Headers(answer.headers);
  // Without a length the typed client reads by itself.
  headers.set("content-length", String(text.length));
  const read = new Response(text, { status, statusText, headers });
  read.json = () => Promise.resolve().then(() => parseJson(text));
  return read;
}

/** What is to be thrown for an answer that is an error. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => null)) as {
    error?: { code: string; message: string; details?: Record<string, unknown>; request_id?: string };
  } | null;
  const error = body?.error;
  return new ApiError(
    answer.status,
    error?.code ?? "unreadable_answer",
    error?.message ?? `The server answered ${answer.status} without a message.`,
    error?.details ?? {},
    error?.request_id ?? null,
  );
}

const errors: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
  },
};

/** Typed requests: `const { data } = await api.GET("/api/runs", { params: { query } })`. Errors are thrown as [ApiError]. */
export const api = createFetchClient<paths>({
  baseUrl: location.origin,
  fetch: exact,
  bodySerializer: (body) => jsonText(body),
});
api.use(errors);

/** The same as hooks: `$api.useQuery("get", "/api/runs", …)`, `$api.useMutation(…)`. */
export const $api = createQueryHooks(api);
