// What comes next: the list of nodes at the place where an edge was let go, or where a key asked for it.
import { Panel } from "@xyflow/react";
import { useEffect, useRef } from "react";

import type { NodeType } from "../../graph/catalogue";
import type { Endpoint, Position } from "../../graph/document";
import { addNode } from "../commands";
import { useBuilder, useBuilderState } from "../context";
import { openNode } from "../store";
import { TypeList } from "./TypeList";

export type QuickAddAt = { screen: Position; place: Position; from?: Endpoint };

const SIZE = { width: 260, height: 340 };

export function QuickAdd({ at, onClose }: { at: QuickAddAt; onClose: () => void }) {
  const builder = useBuilder();
  const catalogue = useBuilderState((state) => state.catalogue);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const close = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", close);
    return () => document.removeEventListener("pointerdown", close);
  }, [onClose]);
  const choose = (type: NodeType) => {
    onClose();
    openNode(builder, addNode(builder, type, { x: at.place.x, y: at.place.y - 26 }, at.from));
  };
  const left = Math.min(at.screen.x, window.innerWidth - SIZE.width - 8);
  const top = Math.min(at.screen.y, window.innerHeight - SIZE.height - 8);
  return (
    <Panel position="top-left" className="!m-0">
      <div
        ref={box}
        role="dialog"
        aria-label="What comes next"
        className="nowheel fixed z-30 flex flex-col rounded-lg border border-line bg-surface shadow-xl"
        style={{ left, top, ...SIZE }}
      >
        <TypeList catalogue={catalogue} onChoose={choose} onEscape={onClose} autoFocus />
      </div>
    </Panel>
  );
}
