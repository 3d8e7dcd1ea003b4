// CodeMirror in our colours, loaded only where it is shown. What it completes and marks comes in as extensions. Must not
// know workflows.
import { lazy, Suspense } from "react";

import type { CodeMirrorProps } from "./CodeMirror";

const CodeMirror = lazy(() => import("./CodeMirror"));

export type CodeEditorProps = CodeMirrorProps;

/** An editor of JSON or text with a label. Until it is loaded, the text is shown as it is. */
export const CodeEditor = (props: CodeEditorProps) => (
  <Suspense
    fallback={
      <pre className="overflow-hidden rounded-md border border-line bg-surface p-2 font-mono text-xs">
        {props.value}
      </pre>
    }
  >
    <CodeMirror {...props} />
  </Suspense>
);
