// Notes and groups on the canvas. Their text is edited in place; they are part of the document, but no run sees them.
import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, useContext, useState } from "react";

import { putGroup, putNote, type Group, type Note, type Size, type Tint } from "../../graph/annotations";
import type { Position } from "../../graph/document";
import type { GroupElement, NoteElement } from "../../graph/elements";
import { cx } from "../../ui/cx";
import { BuilderContext } from "../context";
import { edit } from "../store";

const notes: Record<Tint, string> = {
  plain: "bg-surface border-line",
  yellow: "bg-warn/15 border-warn/40",
  green: "bg-ok/15 border-ok/40",
  blue: "bg-busy/15 border-busy/40",
  red: "bg-bad/15 border-bad/40",
};

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
    <div className={cx("h-full w-full rounded-md border p-2 text-xs", notes[note.tint ?? "yellow"])}>
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
          "h-full w-full resize-none bg-transparent outline-none placeholder:text-muted",
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
    <div className={cx("h-full w-full rounded-xl border border-dashed", notes[group.tint ?? "blue"])}>
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
