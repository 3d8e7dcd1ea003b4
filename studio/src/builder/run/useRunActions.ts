// Starting test runs from wherever the builder offers it. Must not know where that is.
import { use } from "react";

import { api } from "../../api/client";
import type { NodeDoc } from "../../graph/document";
import { eventFor, pinOf, pinsToRunFrom, triggersOf, type Pins } from "../../graph/runRequest";
import { latestOf } from "../../graph/runStates";
import { downstream } from "../../graph/walk";
import { toast } from "../../ui/Toast";
import { useBuilder, useBuilderState } from "../context";
import { MarksContext } from "../marks";
import { documentOf } from "../store";
import { followRun, runDraft } from "./testRun";

export function useRunActions() {
  const builder = useBuilder();
  const marks = use(MarksContext);
  const run = useBuilderState((state) => state.run);
  if (!marks) throw new Error("runs need <MarksContext>");

  const start = async (trigger: NodeDoc | undefined, event: unknown, pins: Pins) => {
    const { isReal } = builder.getState();
    try {
      return await runDraft(builder, marks, { node: trigger?.id, trigger: event, pins, dry_run: !isReal });
    } catch (error) {
      toast.error(error);
      return null;
    }
  };
  /** The trigger that leads to a node, with the event that it was given last or is tried with. */
  const beginningOf = (id: string | null) => {
    const document = documentOf(builder);
    const triggers = triggersOf(document, builder.getState().catalogue);
    const ran = builder
      .getState()
      .run?.nodes.find(
        (node) => node.status === "succeeded" && triggers.some((trigger) => trigger.id === node.id),
      );
    const leads = triggers.filter((trigger) => id === null || downstream(document, trigger.id).has(id));
    return leads.find((trigger) => trigger.id === ran?.id) ?? leads[0];
  };
  return {
    start,
    triggers: () => triggersOf(documentOf(builder), builder.getState().catalogue),
    event: (trigger: NodeDoc) => {
      const state = builder.getState();
      return eventFor(documentOf(builder), state.catalogue, trigger, state.run);
    },
    /** Runs with the first trigger, or the one that is named. */
    run: (trigger = beginningOf(null), event?: unknown) => {
      if (!trigger) return Promise.resolve(toast.say("A run begins with a trigger; add one first."));
      const state = builder.getState();
      const given = event ?? eventFor(documentOf(builder), state.catalogue, trigger, state.run);
      return start(trigger, given, state.pins);
    },
    canRunFrom: (id: string) => Boolean(run && latestOf(run, id)),
    /** Runs again from a node on: what came before gives what it gave. */
    runFrom: (id: string) => {
      const state = builder.getState();
      const trigger = beginningOf(id);
      if (!state.run || !trigger) return Promise.resolve(null);
      const pins = { ...pinsToRunFrom(documentOf(builder), state.run, id), ...state.pins };
      return start(
        trigger,
        eventFor({ ...documentOf(builder), fixtures: {} }, state.catalogue, trigger, state.run),
        pins,
      );
    },
    /** Goes on with a failed run where it failed. */
    retry: async () => {
      if (!run) return;
      try {
        await api.POST("/api/runs/{id}/retry", { params: { path: { id: run.id } } });
        builder.setState({ live: { id: run.id, status: "running", isDry: run.dry_run } });
        followRun(builder, marks, run.id);
      } catch (error) {
        toast.error(error);
      }
    },
    togglePin: (id: string) => {
      const { pins } = builder.getState();
      const node = latestOf(run, id);
      const { [id]: old, ...others } = pins;
      const pin = node && pinOf(node);
      const next = old ? others : pin ? { ...pins, [id]: pin } : pins;
      builder.setState({ pins: next });
      marks.setState({ pinned: new Set(Object.keys(next)) });
    },
  };
}
