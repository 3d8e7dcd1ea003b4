// Whether the server answers. When it does not, it is asked until it does again. Must not know pages or who is signed in.
import { create } from "zustand";

/** Between two questions whether the server is there again, milliseconds. */
const PATIENCE = [500, 1000, 2000, 3000];

type ConnectionState = {
  isLost: boolean;
  /** Counts up each time the server answers again: what a page shows may be old. */
  returns: number;
};

export const useConnection = create<ConnectionState>(() => ({ isLost: false, returns: 0 }));

/** A proxy answers in the place of a server that is away. */
const isAway = (answer: Response) =>
  answer.status === 502 ||
  answer.status === 504 ||
  (answer.status >= 500 && !answer.headers.get("content-type")?.includes("json"));

function lost() {
  if (useConnection.getState().isLost) return;
  useConnection.setState({ isLost: true });
  void ask(0);
}

async function ask(times: number): Promise<void> {
  await new Promise((done) => setTimeout(done, PATIENCE[Math.min(times, PATIENCE.length - 1)]));
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return ask(times + 1);
  useConnection.setState((state) => ({ isLost: false, returns: state.returns + 1 }));
}

export const connection = {
  /** A request found nobody. */
  lost,
  /** A request was answered, perhaps by somebody else. */
  heard: (answer: Response) => {
    if (isAway(answer)) lost();
  },
};
