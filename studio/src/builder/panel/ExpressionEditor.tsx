// A text that may hold expressions: completion from data of the last run, and below it what would come out.
import { EditorState, type Extension } from "@codemirror/state";
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import {
  Decoration,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";

import { complete, hasExpression, type Option } from "../../graph/completion";
import { CodeEditor } from "../../ui/CodeEditor";
import { cx } from "../../ui/cx";
import { previewText, type Preview } from "../remote";
import { jsonText } from "../../json";
import { useFields, type Fields } from "./FieldContext";

type Props = {
  value: string;
  onChange: (value: string) => void;
  label: string;
  id?: string;
  describedBy?: string;
  isInvalid?: boolean;
  placeholder?: string;
};

export function ExpressionEditor({ value, onChange, ...rest }: Props) {
  const fields = useFields();
  const newest = useRef(fields);
  useEffect(() => {
    newest.current = fields;
  });
  const extensions = useMemo<Extension[]>(
    () => [
      marks,
      EditorState.languageData.of(() => [
        { autocomplete: (context: CompletionContext) => source(context, newest.current) },
      ]),
    ],
    [],
  );
  return (
    <div className="min-w-0">
      <CodeEditor
        {...rest}
        value={value}
        onChange={onChange}
        isReadOnly={fields.isReadOnly}
        extensions={extensions}
        maxHeight="16rem"
      />
      {hasExpression(value) && <PreviewLine text={value} />}
    </div>
  );
}

const types: Record<Option["kind"], string> = {
  field: "property",
  variable: "variable",
  function: "function",
  node: "namespace",
};

function source(context: CompletionContext, fields: Fields): CompletionResult | null {
  const text = context.state.doc.toString();
  const found = complete(text, context.pos, fields.sample, fields.language, fields.names);
  if (!found?.options.length) return null;
  if (!context.explicit && found.from === context.pos && !/[.{"(]\s*$/.test(text.slice(0, context.pos)))
    return null;
  return {
    from: found.from,
    validFor: /^\w*$/,
    options: found.options.map(({ kind, apply, ...option }, place) => ({
      ...option,
      type: types[kind],
      // In the order given: fields before functions.
      boost: kind === "function" ? -50 : 50 - Math.min(place, 49),
      ...(apply && { apply: applyKey(apply) }),
    })),
  };
}

/** `.` before a key that is no name is written over: `json.["a b"]` is no code. */
const applyKey = (key: string) => (view: EditorView, _: unknown, from: number, to: number) => {
  const dot = view.state.sliceDoc(from - 1, from) === "." ? 1 : 0;
  view.dispatch({
    changes: { from: from - dot, to, insert: key },
    selection: { anchor: from - dot + key.length },
  });
};

const matcher = new MatchDecorator({
  regexp: /(?<!\\)\{\{[\s\S]*?\}\}/g,
  decoration: Decoration.mark({ class: "text-accent" }),
});
const marks = ViewPlugin.fromClass(
  class {
    shown: DecorationSet;
    constructor(view: EditorView) {
      this.shown = matcher.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.shown = matcher.updateDeco(update, this.shown);
    }
  },
  { decorations: (plugin) => plugin.shown },
);

const SETTLED = 300;

/** What the text comes to with the data at hand; asked of the server, which alone knows the language. */
function PreviewLine({ text }: { text: string }) {
  const { sample, timezone } = useFields();
  const [preview, setPreview] = useState<Preview | null>(null);
  useEffect(() => {
    if (sample.source === "none") return;
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      const answer = await previewText(text, sample, timezone, asked.signal).catch(() => null);
      if (!asked.signal.aborted) setPreview(answer);
    }, SETTLED);
    return () => {
      asked.abort();
      clearTimeout(timer);
    };
  }, [text, sample, timezone]);
  if (sample.source === "none")
    return <p className="mt-1 text-[11px] text-muted">Run the workflow once to see what comes out here.</p>;
  if (!preview) return null;
  const isBad = preview.error !== undefined;
  return (
    <p
      className={cx(
        "mt-1 line-clamp-3 rounded bg-raised px-1.5 py-0.5 font-mono text-[11px] break-words",
        isBad ? "text-bad" : "text-ok",
      )}
      data-preview
    >
      <span className="sr-only">{isBad ? "Preview fails: " : "Preview: "}</span>
      {isBad ? preview.error?.message : shown(preview.value)}
    </p>
  );
}

const shown = (value: unknown) => {
  if (value === null || value === undefined) return "null";
  return typeof value === "string" ? value || "(empty)" : jsonText(value);
};
