// What the builder asks of the server: each function is one documented request. Must not know the builder's state.
import { api, errorOf, readJson, send, type Schema } from "../api/client";
import type { Language } from "../graph/completion";
import type { Problem, WorkflowDocument } from "../graph/document";
import type { Pins } from "../graph/runRequest";
import type { RunView } from "../graph/runStates";
import type { Sample } from "../graph/sample";
import { jsonText } from "../json";

export type Workflow = Schema<"WorkflowView">;

const path = (id: string) => ({ path: { id } });

export async function readWorkflow(id: string): Promise<Workflow> {
  const { data } = await api.GET("/api/workflows/{id}", { params: path(id) });
  return data!;
}

/** `keepalive` lets the request outlive the page. */
export async function saveDraft(
  id: string,
  revision: number,
  document: WorkflowDocument,
  keepalive = false,
): Promise<Workflow> {
  const body = { revision, document };
  const { data } = await api.PUT("/api/workflows/{id}", { params: path(id), body, keepalive });
  return data!;
}

export async function findProblems(document: WorkflowDocument, signal: AbortSignal): Promise<Problem[]> {
  const { data } = await api.POST("/api/workflows/validate", { body: document, signal });
  return data!.problems;
}

export async function readRun(id: string): Promise<RunView> {
  const { data } = await api.GET("/api/runs/{id}", { params: path(id) });
  return data!;
}

export async function latestRun(workflow: string): Promise<RunView | null> {
  const { data } = await api.GET("/api/runs", { params: { query: { workflow, limit: 1 } } });
  const [newest] = data!.items;
  return newest ? readRun(newest.id) : null;
}

export type RunRequest = { node?: string; trigger: unknown; pins: Pins; dry_run: boolean };

/** Starts a test run of the draft and answers its id. */
export async function startRun(workflow: string, request: RunRequest): Promise<string> {
  const { id } = await post<{ id: string }>(`/api/workflows/${workflow}/run`, request);
  return id;
}

/** Wakes a test run that waits for an answer from outside. */
export const signalRun = (run: string, payload: unknown, node?: string) =>
  post<RunView>(`/api/runs/${run}/signal`, { node, payload });

export type Preview = { value?: unknown; error?: { message: string; line?: number; column?: number } };

export const previewText = (
  text: string,
  sample: Sample,
  timezone: string | null | undefined,
  signal: AbortSignal,
) => {
  const { source: _, ...data } = sample;
  return post<Preview>("/api/expressions/preview", { text, data, ...(timezone && { timezone }) }, signal);
};

export async function readLanguage(): Promise<Language> {
  const answer = await send(new Request(new URL("/api/expressions", location.origin)));
  if (!answer.ok) throw await errorOf(answer);
  return (await readJson(answer)) as Language;
}

async function post<T>(to: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const request = new Request(new URL(to, location.origin), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: jsonText(body),
    signal,
  });
  const answer = await send(request);
  if (!answer.ok) throw await errorOf(answer);
  return (await readJson(answer)) as T;
}
