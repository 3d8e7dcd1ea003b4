// Differences between two documents, for people: part by part, with what was there and what is there.
import { cx } from "../../ui/cx";
import type { Change, Detail } from "../../graph/diff";
import { jsonText } from "../../json";

const words: Record<Change["what"], { text: string; tint: string }> = {
  added: { text: "added", tint: "text-ok" },
  removed: { text: "removed", tint: "text-bad" },
  changed: { text: "changed", tint: "text-warn" },
  moved: { text: "moved", tint: "text-muted" },
};

export function ChangeList({ changes, empty = "No difference." }: { changes: Change[]; empty?: string }) {
  if (!changes.length) return <p className="text-sm text-muted">{empty}</p>;
  return (
    <ul className="flex flex-col gap-1">
      {changes.map((change) => (
        <li key={change.key} className="rounded-md border border-line px-2.5 py-1.5 text-sm">
          <ChangeLine change={change} />
        </li>
      ))}
    </ul>
  );
}

export function ChangeLine({ change }: { change: Change }) {
  const { text, tint } = words[change.what];
  return (
    <>
      <div className="flex gap-2">
        <span className="text-muted">{change.kind}</span>
        <span className="min-w-0 flex-1 truncate font-medium">{change.title}</span>
        <span className={cx("text-xs", tint)}>{text}</span>
      </div>
      {change.what === "changed" && <Details details={change.details} />}
    </>
  );
}

const Details = ({ details }: { details: Detail[] }) => (
  <dl className="mt-1 flex flex-col gap-1 text-xs">
    {details.slice(0, 20).map((detail) => (
      <div key={detail.path}>
        <dt className="font-mono text-muted">{detail.path || "/"}</dt>
        <dd className="font-mono break-words whitespace-pre-wrap">
          {detail.before !== undefined && (
            <del className="block text-bad no-underline">− {shown(detail.before)}</del>
          )}
          {detail.after !== undefined && (
            <ins className="block text-ok no-underline">+ {shown(detail.after)}</ins>
          )}
        </dd>
      </div>
    ))}
    {details.length > 20 && <p className="text-muted">and {details.length - 20} more places</p>}
  </dl>
);

const shown = (value: unknown) => {
  const text = typeof value === "string" ? value : (jsonText(value, 1) ?? "");
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
};
