// A test run of the draft: started, followed live, read when it stands still. The canvas is lit by its events, one change
// per frame. Must not know components.
import { follow } from "../../api/events";
import { afterEvents, isEnd, statesOfRun, type RunEvent } from "../../graph/runStates";
import type { MarksStore } from "../marks";
import { readRun, signalRun, startRun, type RunRequest } from "../remote";
import { save } from "../save/saving";
import type { Builder } from "../store";

export type LiveRun = {
  id: string | null;
  status: "starting" | "running" | "waiting" | "succeeded" | "failed" | "cancelled";
  isDry: boolean;
};

type Follower = { stop: () => void };
const followed = new WeakMap<Builder, Follower>();

/** After this long without an event, milliseconds. */
const SILENCE = 2_500;

/** Saves, starts, and follows. Throws when the server refuses the run. */
export async function runDraft(
  builder: Builder,
  marks: MarksStore,
  request: RunRequest,
): Promise<string | null> {
  stopFollowing(builder);
  marks.setState({ states: {} });
  builder.setState({ live: { id: null, status: "starting", isDry: request.dry_run }, runError: null });
  try {
    if (!(await save(builder))) {
      const { saving, saveError } = builder.getState();
      throw new Error(
        saving === "conflict"
          ? "Somebody else saved this workflow. Bring both together first, then run."
          : (saveError ?? "The draft could not be saved."),
      );
    }
    const id = await startRun(builder.getState().id, request);
    builder.setState({ live: { id, status: "running", isDry: request.dry_run } });
    followRun(builder, marks, id);
    return id;
  } catch (error) {
    builder.setState({ live: null, runError: error });
    throw error;
  }
}

/** Lights the canvas with what happens in a run, from its beginning. */
export function followRun(builder: Builder, marks: MarksStore, id: string) {
  stopFollowing(builder);
  let reading = 0;
  // A stream that says nothing may have lost something on its way: the run itself is asked then.
  let silence: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(silence);
    const isOver = !["starting", "running"].includes(builder.getState().live?.status ?? "");
    if (!isOver) silence = setTimeout(() => void read().then(listen), SILENCE);
  };
  const read = async () => {
    const turn = ++reading;
    const run = await readRun(id).catch(() => null);
    if (!run || turn !== reading || builder.getState().live?.id !== id) return;
    builder.setState((state) => ({
      run,
      live: state.live && { ...state.live, status: statusOf(run.status) },
    }));
    marks.setState({ states: statesOfRun(run) });
  };
  const stop = follow(`/api/runs/${id}/stream`, {
    onEvents: (events) => {
      const told = events as unknown as RunEvent[];
      marks.setState({ states: afterEvents(marks.getState().states, told) });
      listen();
      if (told.some(({ event }) => isEnd(event) || event === "run.waiting")) void read();
    },
    onReset: () => void read(),
    onState: (state) => state === "over" && void read(),
  });
  listen();
  const end = () => {
    clearTimeout(silence);
    stop();
  };
  followed.set(builder, { stop: end });
}

const statusOf = (status: string): LiveRun["status"] =>
  status === "queued" ? "running" : (status as LiveRun["status"]);

export function stopFollowing(builder: Builder) {
  followed.get(builder)?.stop();
  followed.delete(builder);
}

/** Gives a waiting test run what it waits for. */
export async function answerRun(
  builder: Builder,
  id: string,
  payload: unknown,
  node?: string,
): Promise<void> {
  builder.setState((state) => ({ live: state.live && { ...state.live, status: "running" } }));
  const run = await signalRun(id, payload, node);
  const status = statusOf(run.status);
  builder.setState((state) => ({
    run,
    live: state.live?.id === id ? { ...state.live, status } : state.live,
  }));
}
