// The head of the node panel: label, id, and what can be done with the node as a whole.
import { Copy, MoreVertical, Play, Trash2 } from "lucide-react";
import { useState } from "react";

import type { NodeType } from "../../graph/catalogue";
import { nameOf, type NodeDoc } from "../../graph/document";
import { patchNode, remove, renameNode } from "../../graph/edit";
import { freeId, idFromLabel, isNodeId, takenIds } from "../../graph/ids";
import { Button, IconButton } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Input, TextArea } from "../../ui/Input";
import { Menu, MenuItem } from "../../ui/Menu";
import { TypeIcon } from "../canvas/StepNode";
import { duplicateSelected } from "../commands";
import { useBuilder } from "../context";
import { useRunActions } from "../run/useRunActions";
import { documentOf, edit, openNode, select } from "../store";

type Props = { node: NodeDoc; type: NodeType | undefined; isReadOnly: boolean };

export function StepHead({ node, type, isReadOnly }: Props) {
  const builder = useBuilder();
  const run = useRunActions();
  const [isNaming, setNaming] = useState(false);
  const put = (change: Partial<NodeDoc>) =>
    edit(builder, (document) => patchNode(document, node.id, change), `head/${node.id}`);
  return (
    <header className="flex items-center gap-2 px-3 pt-3 pb-2">
      <TypeIcon type={type} />
      <div className="min-w-0 flex-1">
        <Input
          aria-label="Label"
          readOnly={isReadOnly}
          value={node.label ?? ""}
          placeholder={node.id}
          className="h-7 border-transparent px-1 font-medium hover:border-line focus:border-line"
          onChange={(event) => put({ label: event.target.value || undefined })}
        />
        <div className="flex gap-2 px-1 text-[11px] text-muted">
          <span className="truncate">{type?.title ?? node.type}</span>
          <code className="truncate">{node.id}</code>
        </div>
      </div>
      {!isReadOnly && (
        <Menu
          trigger={
            <IconButton label="More for this node" size="small">
              <MoreVertical size={15} aria-hidden />
            </IconButton>
          }
        >
          <MenuItem
            icon={<Play size={14} aria-hidden />}
            disabled={!run.canRunFrom(node.id)}
            onSelect={() => void run.runFrom(node.id)}
          >
            Run from here
          </MenuItem>
          <MenuItem onSelect={() => setNaming(true)}>Id and remark…</MenuItem>
          <MenuItem onSelect={() => put({ disabled: node.disabled ? undefined : true })}>
            {node.disabled ? "Enable" : "Disable"}
          </MenuItem>
          <MenuItem
            icon={<Copy size={14} aria-hidden />}
            onSelect={() => {
              select(builder, [node.id]);
              duplicateSelected(builder);
            }}
          >
            Duplicate
          </MenuItem>
          <MenuItem
            isDangerous
            icon={<Trash2 size={14} aria-hidden />}
            onSelect={() => edit(builder, (document) => remove(document, new Set([node.id])))}
          >
            Delete
          </MenuItem>
        </Menu>
      )}
      {isNaming && <NamingDialog node={node} onClose={() => setNaming(false)} />}
    </header>
  );
}

function NamingDialog({ node, onClose }: { node: NodeDoc; onClose: () => void }) {
  const builder = useBuilder();
  const [id, setId] = useState(node.id);
  const [notes, setNotes] = useState(node.notes ?? "");
  const taken = takenIds(documentOf(builder));
  const fault =
    id === node.id
      ? undefined
      : !isNodeId(id)
        ? "A small letter, then small letters, digits, _ or -; at most 64."
        : taken.has(id)
          ? "Another node has this id."
          : undefined;
  const save = () => {
    if (fault) return;
    edit(builder, (document) => {
      const noted = patchNode(document, node.id, { notes: notes.trim() ? notes : undefined });
      return id === node.id ? noted : renameNode(noted, node.id, id);
    });
    openNode(builder, id);
    onClose();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Id and remark of “${nameOf(node)}”`}
      width="small"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={Boolean(fault)} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field label="Id" error={fault} hint="Edges, expressions, samples and tests of this workflow follow.">
          {(ids) => <Input {...ids} value={id} onChange={(event) => setId(event.target.value)} />}
        </Field>
        <Button
          size="small"
          className="self-start"
          onClick={() =>
            setId(
              freeId(
                idFromLabel(node.label ?? node.id),
                new Set([...taken].filter((one) => one !== node.id)),
              ),
            )
          }
        >
          Make it from the label
        </Button>
        <Field label="Remark">
          {(ids) => <TextArea {...ids} value={notes} onChange={(event) => setNotes(event.target.value)} />}
        </Field>
      </div>
    </Dialog>
  );
}
