// Any JSON as a tree that opens and closes. Large lists are shown in parts, so that a large value does not freeze the page.
import { ChevronDown, ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";

import { jsonText } from "../json";
import { CopyButton } from "./Copy";
import { cx } from "./cx";
import { counted } from "./words";

/** How many entries of a list or object are shown at once. */
const STEP = 100;
/** How much of a long text is shown at first. */
const TEXT = 600;
/** A value up to so many characters is open all the way down; a larger one only so deep. */
const SMALL = 4000;
const DEPTH = 3;

export function JsonView({ value, label, className }: { value: unknown; label: string; className?: string }) {
  const text = useMemo(() => jsonText(value, 2) ?? "", [value]);
  return (
    <div
      role="group"
      aria-label={label}
      tabIndex={0}
      className={cx(
        "relative max-h-96 overflow-auto rounded-md border border-line bg-surface p-2 pr-9 font-mono text-xs leading-5",
        className,
      )}
    >
      <div className="absolute top-1 right-1">
        <CopyButton text={text} label="Copy as JSON" />
      </div>
      <Part value={value} open={text.length <= SMALL ? Infinity : DEPTH} />
    </div>
  );
}

function Part({ name, value, open }: { name?: string; value: unknown; open: number }) {
  const [isOpen, setOpen] = useState(open > 0);
  const [shown, setShown] = useState(STEP);
  if (value === null || typeof value !== "object") {
    return (
      <div className="break-words whitespace-pre-wrap">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [begin, end] = isList ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <div>
        <Name name={name} />
        {begin}
        {end}
      </div>
    );
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="-ml-0.5 inline-flex cursor-pointer items-center rounded whitespace-pre hover:bg-raised"
      >
        {isOpen ? <ChevronDown size={12} aria-hidden /> : <ChevronRight size={12} aria-hidden />}
        <Name name={name} />
        <span className="text-muted">
          {begin}
          {!isOpen && ` ${counted(entries.length, isList ? "item" : "field")} ${end}`}
        </span>
      </button>
      {isOpen && (
        <div className="ml-1.5 border-l border-line pl-3">
          {entries.slice(0, shown).map(([key, part]) => (
            <Part key={key} name={key} value={part} open={open - 1} />
          ))}
          {entries.length > shown && (
            <button
              type="button"
              className="cursor-pointer text-busy underline"
              onClick={() => setShown(shown + STEP * 10)}
            >
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
      {isOpen && <span className="text-muted">{end}</span>}
    </div>
  );
}

const Name = ({ name }: { name?: string }) =>
  name === undefined ? null : (
    <>
      <span className="text-busy">{name}</span>
      <span className="text-muted">: </span>
    </>
  );

function Leaf({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== "string") return <span className="text-warn">{String(value)}</span>;
  const isLong = value.length > TEXT && !isWhole;
  return (
    <span className="text-ok">
      {jsonText(isLong ? value.slice(0, TEXT) : value)}
      {isLong && (
        <button type="button" className="cursor-pointer text-busy underline" onClick={() => setWhole(true)}>
          {value.length - TEXT} more characters
        </button>
      )}
    </span>
  );
}
