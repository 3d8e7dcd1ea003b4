// What the catalogue says of a node type: its text, its ports, worked examples.
import type { NodeType } from "../../graph/catalogue";
import { JsonView } from "../../ui/JsonView";

type Example = { title?: string; params?: unknown; input?: unknown[]; output?: Record<string, unknown[]> };

export function TypeHelp({ type }: { type: NodeType | undefined }) {
  if (!type) return null;
  const examples = type.examples as Example[];
  return (
    <div className="flex flex-col gap-4 text-sm">
      <p className="text-muted">
        <code>{type.type}</code> · version {type.version}
      </p>
      <Markdown text={type.docs || type.summary} />
      {(["inputs", "outputs"] as const).map(
        (side) =>
          type[side].fixed.length > 0 && (
            <section key={side} aria-label={side}>
              <h4 className="mb-1 text-xs font-semibold text-muted uppercase">{side}</h4>
              <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 text-xs">
                {type[side].fixed.map((port) => (
                  <div key={port.name} className="contents">
                    <dt className="font-mono">{port.name}</dt>
                    <dd className="text-muted">{port.help}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ),
      )}
      {examples.length > 0 && (
        <section aria-label="Examples" className="flex flex-col gap-2">
          <h4 className="text-xs font-semibold text-muted uppercase">Examples</h4>
          {examples.map((example, place) => (
            <details key={example.title ?? place} className="rounded-md border border-line p-2">
              <summary className="cursor-pointer text-xs">{example.title}</summary>
              <div className="mt-2 flex flex-col gap-2">
                <JsonView label="Parameters" value={example.params} />
                {example.input && <JsonView label="Input" value={example.input} />}
                {example.output && <JsonView label="Output" value={example.output} />}
              </div>
            </details>
          ))}
        </section>
      )}
    </div>
  );
}

/** The little Markdown that help texts use: paragraphs, blocks of code, lists, `code` and **bold**. */
function Markdown({ text }: { text: string }) {
  return text.split(/\n```\w*\n|\n```\n?/).map((part, place) =>
    place % 2 === 1 ? (
      <pre key={place} tabIndex={0} className="overflow-x-auto rounded-md bg-raised p-2 font-mono text-xs">
        {part}
      </pre>
    ) : (
      part
        .split(/\n{2,}/)
        .filter((paragraph) => paragraph.trim())
        .map((paragraph, at) => (
          <p key={`${place}-${at}`} className="whitespace-pre-line">
            <Inline text={paragraph.replaceAll(/\n(?![-|])/g, " ").trim()} />
          </p>
        ))
    ),
  );
}

const Inline = ({ text }: { text: string }) =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, place) =>
    part.startsWith("`") ? (
      <code key={place} className="rounded bg-raised px-1 text-xs">
        {part.slice(1, -1)}
      </code>
    ) : part.startsWith("**") ? (
      <b key={place}>{part.slice(2, -2)}</b>
    ) : (
      part
    ),
  );
