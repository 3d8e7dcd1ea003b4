// Notes and groups on the canvas. Their text is edited in place; they are part of the document, but no run sees them.
import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, useContext, useState } from "react";

import { putGroup, putNote, type Group, type Note, type Size, type Tint } from "../../graph/annotations";
import type { Position } from "../../graph/document";
import type { GroupElement, NoteElement } from "../../graph/elements";
import { cx } from "../../ui/cx";
import { BuilderContext } from "../context";
import { edit } from "../store";

const colours: Record<Tint, string> = {
  plain: "var(--muted)",
  yellow: "var(--warn)",
  green: "var(--ok)",
  blue: "var(--busy)",
  red: "var(--bad)",
};

/** A note is paper: nothing shines through. A group is a breath of colour behind what it holds. */
const paper = (tint: Tint, strength: number, ground: string) => ({
  backgroundColor: `color-mix(in srgb, ${colours[tint]} ${strength}%, ${ground})`,
  borderColor: `color-mix(in srgb, ${colours[tint]} 40%, transparent)`,
});

/** Writes a note or group into the document; a canvas that only shows has no builder and writes nothing. */
function usePut() {
  const builder = useContext(BuilderContext);
  if (!builder) return null;
  return {
    note: (note: Note, key?: string) => edit(builder, (document) => putNote(document, note), key),
    group: (group: Group, key?: string) => edit(builder, (document) => putGroup(document, group), key),
  };
}

type Box = Position & Size;
const placed = ({ x, y, width, height }: Box) => ({
  position: { x: Math.round(x), y: Math.round(y) },
  size: { width: Math.round(width), height: Math.round(height) },
});

export const NoteNode = memo(function NoteNode({ data, selected }: NodeProps<NoteElement>) {
  const { note } = data;
  const put = usePut();
  return (
    <div
      className="h-full w-full rounded-md border p-2 text-xs"
      style={paper(note.tint ?? "yellow", 14, "var(--surface)")}
    >
      {put && (
        <NodeResizer
          isVisible={selected}
          minWidth={120}
          minHeight={60}
          onResizeEnd={(_, box) => put.note({ ...note, ...placed(box) })}
        />
      )}
      <textarea
        aria-label="Note"
        readOnly={!put}
        value={note.text}
        placeholder="Write a note"
        onChange={(event) => put?.note({ ...note, text: event.target.value }, `note/${note.id}`)}
        className={cx(
          "h-full w-full resize-none bg-transparent outline-none! placeholder:text-muted",
          selected ? "nodrag nopan" : "pointer-events-none",
        )}
      />
    </div>
  );
});

export const GroupNode = memo(function GroupNode({ data, selected }: NodeProps<GroupElement>) {
  const { group } = data;
  const put = usePut();
  const [isEditing, setEditing] = useState(false);
  return (
    <div
      className="h-full w-full rounded-xl border border-dashed"
      style={paper(group.tint ?? "blue", 6, "transparent")}
    >
      {put && (
        <NodeResizer
          isVisible={selected}
          minWidth={160}
          minHeight={100}
          onResizeEnd={(_, box) => put.group({ ...group, ...placed(box) })}
        />
      )}
      <div className="group-title flex cursor-move items-center px-3 py-1.5 text-xs font-medium text-text">
        {isEditing && put ? (
          <input
            aria-label="Name of the group"
            autoFocus
            className="nodrag nopan min-w-0 flex-1 rounded bg-surface px-1"
            value={group.title}
            onChange={(event) => put.group({ ...group, title: event.target.value }, `group/${group.id}`)}
            onBlur={() => setEditing(false)}
            onKeyDown={(event) => event.key === "Enter" && setEditing(false)}
          />
        ) : (
          <span className="truncate" onDoubleClick={() => setEditing(true)}>
            {group.title || "Group"}
          </span>
        )}
      </div>
    </div>
  );
});
