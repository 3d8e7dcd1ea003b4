// Node types to choose from, by words, with the keyboard or the pointer. Everything shown comes from the catalogue.
import { Search } from "lucide-react";
import { useId, useMemo, useRef, useState, type KeyboardEvent } from "react";

import { paletteGroups, type Catalogue, type NodeType } from "../../graph/catalogue";
import { cx } from "../../ui/cx";
import { Input } from "../../ui/Input";
import { TypeIcon } from "../canvas/StepNode";
import { PALETTE_TYPE } from "./drag";

type TypeListProps = {
  catalogue: Catalogue;
  onChoose: (type: NodeType) => void;
  onEscape?: () => void;
  isDraggable?: boolean;
  autoFocus?: boolean;
  inputId?: string;
};

export function TypeList({ catalogue, onChoose, onEscape, isDraggable, autoFocus, inputId }: TypeListProps) {
  const [query, setQuery] = useState("");
  const [place, setPlace] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const groups = useMemo(() => paletteGroups(catalogue, query), [catalogue, query]);
  const flat = useMemo(() => groups.flatMap((group) => group.types), [groups]);
  const active = flat[Math.min(place, flat.length - 1)];
  const go = (to: number) => {
    const next = Math.max(0, Math.min(to, flat.length - 1));
    setPlace(next);
    list.current?.querySelector(`[data-place="${next}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") go(place + 1);
    else if (event.key === "ArrowUp") go(place - 1);
    else if (event.key === "Enter" && active) onChoose(active);
    else if (event.key === "Escape" && onEscape) onEscape();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="group/list flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
      <div className="relative p-2">
        <Search size={14} aria-hidden className="absolute top-1/2 left-4.5 -translate-y-1/2 text-muted" />
        <Input
          id={inputId}
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={active ? `${id}-${active.type}` : undefined}
          aria-label="Search for a node"
          placeholder="Search nodes"
          className="pl-7"
          value={query}
          autoFocus={autoFocus}
          onChange={(event) => {
            setQuery(event.target.value);
            setPlace(0);
          }}
        />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label="Nodes"
        tabIndex={-1}
        className="min-h-0 flex-1 overflow-y-auto px-2 pb-2"
      >
        {groups.map((group) => (
          <div key={group.service} role="group" aria-label={group.title} className="mb-2">
            <div
              aria-hidden
              className="px-1.5 py-1 text-[11px] font-semibold tracking-wide text-muted uppercase"
            >
              {group.title}
            </div>
            {group.types.map((type) => (
              <TypeOption
                key={type.type}
                id={`${id}-${type.type}`}
                type={type}
                place={flat.indexOf(type)}
                isActive={type === active}
                isDraggable={isDraggable}
                onChoose={onChoose}
              />
            ))}
          </div>
        ))}
        {flat.length === 0 && <p className="px-2 py-4 text-sm text-muted">No node has all these words.</p>}
      </div>
    </div>
  );
}

type OptionProps = {
  id: string;
  type: NodeType;
  place: number;
  isActive: boolean;
  isDraggable?: boolean;
  onChoose: (type: NodeType) => void;
};

const TypeOption = ({ id, type, place, isActive, isDraggable, onChoose }: OptionProps) => (
  <div
    id={id}
    role="option"
    aria-selected={isActive}
    data-place={place}
    data-type={type.type}
    draggable={isDraggable}
    title={type.summary}
    onDragStart={(event) => {
      event.dataTransfer.setData(PALETTE_TYPE, type.type);
      event.dataTransfer.effectAllowed = "copy";
    }}
    onClick={() => onChoose(type)}
    className={cx(
      "flex cursor-pointer items-center gap-2 rounded-md px-1.5 py-1 hover:bg-raised",
      isActive && "group-focus-within/list:bg-raised",
      isDraggable && "active:cursor-grabbing",
    )}
  >
    <TypeIcon type={type} size={13} />
    <span className="min-w-0 flex-1">
      <span className="block truncate text-[13px] leading-4">{type.title}</span>
      <span className="block truncate text-[11px] leading-4 text-muted">{type.summary}</span>
    </span>
  </div>
);
