// A button that copies a text, and a text shown with it.
import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";

import { IconButton } from "./Button";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <IconButton label={isCopied ? "Copied" : label} size="small" onClick={() => void copy()}>
      {isCopied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
    </IconButton>
  );
}

/** A secret that is shown this once. */
export const Secret = ({ text, label }: { text: string; label: string }) => (
  <div className="flex items-center gap-2 rounded-md border border-line bg-raised p-2">
    <code className="min-w-0 flex-1 text-sm break-all" aria-label={label}>
      {text}
    </code>
    <CopyButton text={text} />
  </div>
);
