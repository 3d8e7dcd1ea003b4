// When the draft is saved without being asked: half a minute after a change, whenever the page is left or hidden, and when
// the server answers again.
import { useEffect } from "react";

import { useConnection } from "../../api/connection";
import { jsonText } from "../../json";
import { useBuilder } from "../context";
import { documentOf } from "../store";
import { KEEPALIVE_BYTES, isUnsaved, save } from "./saving";

const EVERY = 30_000;

export function useAutosave(isReadOnly: boolean) {
  const builder = useBuilder();
  useEffect(() => {
    if (isReadOnly) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = builder.subscribe((state, before) => {
      if (state.history.present === before.history.present || timer) return;
      timer = setTimeout(() => {
        timer = null;
        void save(builder);
      }, EVERY);
    });
    const isSmall = () => jsonText(documentOf(builder)).length < KEEPALIVE_BYTES;
    const hidden = () => {
      if (document.hidden && isUnsaved(builder)) void save(builder, isSmall());
    };
    const leaving = (event: BeforeUnloadEvent) => {
      if (!isUnsaved(builder)) return;
      const isKept =
        isSmall() && builder.getState().saving !== "conflict" && !useConnection.getState().isLost;
      if (isKept) void save(builder, true);
      // Too large to outlive the page, or not to be saved yet: the person is asked.
      else event.preventDefault();
    };
    const isBack = useConnection.subscribe((state, before) => {
      if (state.returns !== before.returns && isUnsaved(builder)) void save(builder);
    });
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("beforeunload", leaving);
    return () => {
      if (timer) clearTimeout(timer);
      stop();
      isBack();
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("beforeunload", leaving);
      if (isUnsaved(builder)) void save(builder);
    };
  }, [builder, isReadOnly]);
}
