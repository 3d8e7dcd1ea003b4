// The part of the code editor that loads CodeMirror; use `CodeEditor`.
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import ReactCodeMirror from "@uiw/react-codemirror";
import { useMemo } from "react";

import { cx } from "./cx";

export type CodeMirrorProps = {
  value: string;
  onChange?: (value: string) => void;
  onBlur?: () => void;
  label: string;
  language?: "json" | "text";
  isReadOnly?: boolean;
  /** One line that grows no further and takes no line breaks into sight. */
  isSingleLine?: boolean;
  placeholder?: string;
  /** Completion, marks and keys. Keep it the same object between renders. */
  extensions?: Extension[];
  minHeight?: string;
  maxHeight?: string;
  className?: string;
  /** Ties it to a label, hint or error beside it. */
  id?: string;
  describedBy?: string;
  isInvalid?: boolean;
};

const look = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "var(--text)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "ui-monospace, monospace", caretColor: "var(--text)", padding: "6px 0" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent) !important",
  },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-tooltip": {
    backgroundColor: "var(--surface)",
    color: "var(--text)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-diagnostic": { fontFamily: "inherit", fontSize: "0.75rem" },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.propertyName, tags.variableName], color: "var(--busy)" },
    { tag: [tags.string], color: "var(--ok)" },
    { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--warn)" },
    { tag: [tags.comment, tags.punctuation, tags.operator], color: "var(--muted)" },
  ]),
);

export default function CodeMirror(props: CodeMirrorProps) {
  const {
    label,
    language = "text",
    isReadOnly,
    isSingleLine,
    extensions,
    id,
    describedBy,
    isInvalid,
  } = props;
  const all = useMemo(
    () => [
      look,
      colours,
      EditorView.contentAttributes.of({
        "aria-label": label,
        ...(id && { id }),
        ...(describedBy && { "aria-describedby": describedBy }),
        ...(isInvalid && { "aria-invalid": "true" }),
      }),
      ...(isSingleLine ? [] : [EditorView.lineWrapping]),
      ...(language === "json" ? [json(), ...(isReadOnly ? [] : [linter(jsonParseLinter())])] : []),
      ...(extensions ?? []),
    ],
    [label, language, isReadOnly, isSingleLine, extensions, id, describedBy, isInvalid],
  );
  return (
    <ReactCodeMirror
      value={props.value}
      onChange={props.onChange}
      onBlur={props.onBlur}
      extensions={all}
      theme="none"
      readOnly={isReadOnly}
      // Tab leaves the editor: who uses the keyboard must get out of it.
      indentWithTab={false}
      placeholder={props.placeholder}
      minHeight={props.minHeight}
      maxHeight={props.maxHeight ?? (isSingleLine ? undefined : "60vh")}
      basicSetup={{
        lineNumbers: language === "json" && !isSingleLine,
        foldGutter: language === "json" && !isSingleLine,
        highlightActiveLine: false,
        highlightActiveLineGutter: false,
        syntaxHighlighting: false,
        searchKeymap: !isSingleLine,
      }}
      className={cx(
        "min-w-0 overflow-hidden rounded-md border bg-surface focus-within:outline-2 focus-within:outline-accent",
        isInvalid ? "border-bad" : "border-line",
        props.className,
      )}
    />
  );
}
