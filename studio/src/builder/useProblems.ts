// Problems as one types: the server is asked shortly after a change; an answer to an older draft is dropped.
import { useEffect } from "react";

import { byNode } from "../graph/problems";
import { useBuilder } from "./context";
import { findProblems } from "./remote";
import { documentOf } from "./store";
import type { MarksStore } from "./marks";

const SETTLED = 400;

export function useProblems(marks: MarksStore) {
  const builder = useBuilder();
  useEffect(() => {
    const mark = () => {
      const { problems, history } = builder.getState();
      marks.setState({ problems: byNode(history.present, problems) });
    };
    mark();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked = new AbortController();
    const ask = async () => {
      asked = new AbortController();
      const { signal } = asked;
      try {
        const problems = await findProblems(documentOf(builder), signal);
        if (signal.aborted) return;
        builder.setState({ problems, isChecking: false });
        mark();
      } catch {
        // Without an answer the last known problems stay; the next change asks again.
        if (!signal.aborted) builder.setState({ isChecking: false });
      }
    };
    const stop = builder.subscribe((state, before) => {
      if (state.history.present === before.history.present) return;
      asked.abort();
      clearTimeout(timer);
      if (!state.isChecking) builder.setState({ isChecking: true });
      timer = setTimeout(() => void ask(), SETTLED);
    });
    return () => {
      clearTimeout(timer);
      asked.abort();
      stop();
    };
  }, [builder, marks]);
}
