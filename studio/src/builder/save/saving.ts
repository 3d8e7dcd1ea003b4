// Saving the draft: one request at a time, on the revision that was read. When somebody else saved meanwhile, nothing is
// overwritten: both sides are kept until a person chooses. Must not know dialogs or timers.
import { ApiError } from "../../api/client";
import { useConnection } from "../../api/connection";
import type { WorkflowDocument } from "../../graph/document";
import { merged, type Side } from "../../graph/merge";
import { isSame } from "../../graph/pointer";
import { elementsOf } from "../../graph/elements";
import { readWorkflow, saveDraft, type Workflow } from "../remote";
import { documentOf, edit, type Builder } from "../store";

/** Requests that outlive the page may carry this much; larger ones are refused by browsers. */
export const KEEPALIVE_BYTES = 60_000;

export const isUnsaved = (builder: Builder) => documentOf(builder) !== builder.getState().saved;

let running: Promise<boolean> | null = null;

/** Saves what is not saved. Answers whether the server now has what is drawn. */
export function save(builder: Builder, keepalive = false): Promise<boolean> {
  running = (running ?? Promise.resolve(true)).then(() => saveOnce(builder, keepalive));
  return running;
}

async function saveOnce(builder: Builder, keepalive: boolean): Promise<boolean> {
  const { id, revision, saving } = builder.getState();
  if (saving === "conflict") return false;
  const sent = documentOf(builder);
  if (!isUnsaved(builder)) {
    builder.setState({ saving: "saved" });
    return true;
  }
  builder.setState({ saving: "saving", saveError: null });
  try {
    taken(builder, await saveDraft(id, revision, sent, keepalive), sent);
    return !isUnsaved(builder);
  } catch (error) {
    if (error instanceof ApiError && error.code === "stale_revision") await conflict(builder);
    else {
      builder.setState({ saving: "failed", saveError: wordsOf(error) });
    }
    return false;
  }
}

function wordsOf(error: unknown): string {
  if (useConnection.getState().isLost) return "Kept here until the server answers again.";
  return error instanceof Error ? error.message : String(error);
}

/** The server has `sent`, perhaps with what it adds (versions of node types); edits made meanwhile stay. */
function taken(builder: Builder, workflow: Workflow, sent: WorkflowDocument) {
  const state = builder.getState();
  const stored = isSame(workflow.document, sent) ? sent : workflow.document;
  const now = documentOf(builder);
  const present = now === sent ? stored : stored === sent ? now : merged(sent, now, stored, new Map());
  builder.setState({
    saved: stored,
    revision: workflow.revision,
    publishedVersion: workflow.published_version,
    saving: present === stored ? "saved" : "dirty",
    history: { ...state.history, present },
    ...(present !== now && { elements: elementsOf(present, state.catalogue, state.elements, state.places) }),
  });
}

async function conflict(builder: Builder) {
  try {
    const theirs = await readWorkflow(builder.getState().id);
    // Saved twice by ourselves: an answer got lost on the way.
    if (isSame(theirs.document, documentOf(builder))) return taken(builder, theirs, documentOf(builder));
    builder.setState({ saving: "conflict", theirs });
  } catch (error) {
    builder.setState({ saving: "failed", saveError: wordsOf(error) });
  }
}

/** Ends a conflict: both sides' changes, clashes as chosen, on top of what the server has. */
export async function settleConflict(builder: Builder, choices: ReadonlyMap<string, Side>): Promise<boolean> {
  const { theirs, saved } = builder.getState();
  if (!theirs) return true;
  const mine = documentOf(builder);
  adopt(builder, theirs);
  edit(builder, () => merged(saved, mine, theirs.document, choices));
  return save(builder);
}

/** Takes the server's document as the base of all further changes. What was drawn can be had back by undoing. */
export function adopt(builder: Builder, workflow: Workflow) {
  builder.setState({
    saved: workflow.document,
    revision: workflow.revision,
    publishedVersion: workflow.published_version,
    saving: "saved",
    saveError: null,
    theirs: null,
  });
  edit(builder, () => workflow.document);
  if (documentOf(builder) === workflow.document) builder.setState({ saving: "saved" });
}
