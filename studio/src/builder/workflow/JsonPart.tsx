// A part of the document that is edited as JSON. What is no JSON yet is not written into the document.
import { useState } from "react";

import { isSame } from "../../graph/pointer";
import { CodeEditor } from "../../ui/CodeEditor";
import { jsonText, parseJson } from "../../json";

type Props = {
  title: string;
  hint: string;
  value: unknown;
  isReadOnly: boolean;
  onChange: (value: unknown) => void;
};

const textOf = (value: unknown) => (value === undefined ? "" : jsonText(value, 2));

export function JsonPart({ title, hint, value, isReadOnly, onChange }: Props) {
  const [text, setText] = useState(() => textOf(value));
  const [shown, setShown] = useState(value);
  const [isBroken, setBroken] = useState(false);
  if (shown !== value) {
    // Changed elsewhere: by undoing, by renaming a node, by keeping a sample.
    setShown(value);
    if (!isBroken && !isSame(read(text).value, value)) setText(textOf(value));
  }
  const write = (next: string) => {
    setText(next);
    const found = read(next);
    setBroken(!found.ok);
    if (!found.ok) return;
    setShown(found.value);
    onChange(found.value);
  };
  return (
    <details className="rounded-md border border-line">
      <summary className="cursor-pointer px-2.5 py-1.5 text-xs font-medium">{title}</summary>
      <div className="flex flex-col gap-1.5 p-2.5">
        <p className="text-[11px] text-muted">{hint}</p>
        <CodeEditor
          label={title}
          language="json"
          value={text}
          onChange={write}
          isReadOnly={isReadOnly}
          minHeight="6rem"
          maxHeight="24rem"
        />
        {isBroken && <p className="text-xs text-warn">This is not JSON yet; what was here before is kept.</p>}
      </div>
    </details>
  );
}

function read(text: string): { ok: boolean; value?: unknown } {
  if (!text.trim()) return { ok: true, value: undefined };
  try {
    return { ok: true, value: parseJson(text) as unknown };
  } catch {
    return { ok: false };
  }
}
