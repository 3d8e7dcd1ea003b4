// The open workflow: palette, canvas and dock side by side, with what happens by itself (checking, saving) and by keys.
import { useReactFlow } from "@xyflow/react";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { use, useEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";

import type { CanvasEdge, CanvasNode } from "../graph/elements";
import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { toast } from "../ui/Toast";
import { Canvas } from "./canvas/Canvas";
import { focusNode } from "./canvas/focusNode";
import { bringIntoSight } from "./canvas/sight";
import { useBuilder, useBuilderState } from "./context";
import { Dock } from "./Dock";
import { ConnectDialog } from "./keys/ConnectDialog";
import { KeySheet } from "./keys/KeySheet";
import { useCanvasKeys } from "./keys/useCanvasKeys";
import { MarksContext } from "./marks";
import { PALETTE_SEARCH, Palette } from "./palette/Palette";
import { useRunActions } from "./run/useRunActions";
import { ConflictDialog } from "./save/ConflictDialog";
import { save } from "./save/saving";
import { useAutosave } from "./save/useAutosave";
import { TopBar } from "./top/TopBar";
import { useProblems } from "./useProblems";

export function Workbench({ isReadOnly }: { isReadOnly: boolean }) {
  const builder = useBuilder();
  const marks = use(MarksContext);
  const canvas = useRef<HTMLDivElement>(null);
  const [isPaletteOpen, setPaletteOpen] = usePalette(!isReadOnly);
  const [hasSheet, setSheet] = useState(false);
  const [connecting, setConnecting] = useState<string | null>(null);
  const actions = useRunActions();
  if (!marks) throw new Error("the workbench needs <MarksContext>");
  useProblems(marks);
  useAutosave(isReadOnly);
  useFitOnce();
  useOpenInSight(canvas);

  const toPalette = () => {
    const search = () => {
      const field = document.getElementById(PALETTE_SEARCH) as HTMLInputElement | null;
      field?.focus();
      // What was searched last is written over.
      field?.select();
    };
    if (isPaletteOpen) return search();
    setPaletteOpen(true);
    requestAnimationFrame(search);
  };
  const toCanvas = () => {
    canvas.current?.focus();
    const { open } = builder.getState();
    if (open !== null) focusNode(open);
  };
  const onCanvasKey = useCanvasKeys({ add: toPalette, connect: setConnecting, sheet: () => setSheet(true) });
  useKeysAnywhere({
    s: () => void save(builder).then((isSaved) => isSaved && toast.done("Saved.")),
    // A dialog that asks something has its own Enter.
    Enter: () =>
      void (
        document.querySelector("[data-state=open]:is([role=dialog], [role=alertdialog])") || actions.run()
      ),
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const isInDock = Boolean((event.target as HTMLElement).closest("[data-dock]"));
    if (event.key === "Escape" && isInDock && !event.defaultPrevented) toCanvas();
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
      <TopBar isReadOnly={isReadOnly} onSheet={() => setSheet(true)} />
      <div className="flex min-h-0 flex-1">
        {isPaletteOpen && !isReadOnly && (
          <section
            aria-label="Palette"
            className="flex min-h-0 w-56 shrink-0 flex-col border-r border-line bg-surface"
          >
            <Palette onEscape={toCanvas} />
          </section>
        )}
        <section
          ref={canvas}
          aria-label="Canvas"
          aria-describedby="canvas-keys"
          tabIndex={-1}
          className="relative min-h-0 min-w-0 flex-1 outline-none"
          onKeyDown={isReadOnly ? undefined : onCanvasKey}
        >
          <p id="canvas-keys" className="sr-only">
            Press the question mark for the keys of the canvas.
          </p>
          <Canvas isReadOnly={isReadOnly} />
          {!isReadOnly && (
            <IconButton
              label={isPaletteOpen ? "Close the palette" : "Open the palette"}
              size="small"
              look="plain"
              className="!absolute top-2 left-2 z-10"
              onClick={() => setPaletteOpen(!isPaletteOpen)}
            >
              {isPaletteOpen ? (
                <PanelLeftClose size={14} aria-hidden />
              ) : (
                <PanelLeftOpen size={14} aria-hidden />
              )}
            </IconButton>
          )}
          <EmptyHint isReadOnly={isReadOnly} />
        </section>
        <Dock isReadOnly={isReadOnly} />
      </div>
      <ConflictDialog />
      <KeySheet isOpen={hasSheet} onClose={() => setSheet(false)} />
      {connecting && <ConnectDialog key={connecting} node={connecting} onClose={() => setConnecting(null)} />}
    </div>
  );
}

/** Keys with Ctrl that hold wherever the focus is, also when what had it is gone. */
function useKeysAnywhere(keys: Record<string, () => void>) {
  const newest = useRef(keys);
  useEffect(() => {
    newest.current = keys;
  });
  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      const done = (event.ctrlKey || event.metaKey) && !event.shiftKey && newest.current[event.key];
      if (!done) return;
      event.preventDefault();
      done();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

const EmptyHint = ({ isReadOnly }: { isReadOnly: boolean }) => {
  const isEmpty = useBuilderState((state) => state.elements.nodes.length === 0);
  if (!isEmpty || isReadOnly) return null;
  return (
    <div
      className={cx(
        "pointer-events-none absolute inset-0 flex items-center justify-center text-center text-sm text-muted",
      )}
    >
      <p>
        Drag a node here, or press <kbd className="rounded border border-line bg-surface px-1">A</kbd>.
        <br />A workflow begins with a trigger.
      </p>
    </div>
  );
};

/** Narrower than this, palette and dock would leave no canvas between them: one of both is open, pixels. */
const NARROW = 1200;

function usePalette(isOpenAtFirst: boolean) {
  const builder = useBuilder();
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const hasDock = useBuilderState((state) => state.dock !== null);
  const [hadDock, setHadDock] = useState(hasDock);
  if (hadDock !== hasDock) {
    setHadDock(hasDock);
    if (hasDock && innerWidth < NARROW) setOpen(false);
  }
  const open = (next: boolean) => {
    if (next && innerWidth < NARROW) builder.setState({ dock: null });
    setOpen(next);
  };
  return [isOpen, open] as const;
}

/** The canvas is fitted once, when its size is known. */
function useFitOnce() {
  const flow = useReactFlow();
  useEffect(() => {
    const timer = setTimeout(() => void flow.fitView({ maxZoom: 1, padding: 0.2 }), 50);
    return () => clearTimeout(timer);
  }, [flow]);
}

/** The node whose parameters are open is seen, also when the dock opens beside it; beside the phone, the whole workflow. */
function useOpenInSight(canvas: RefObject<HTMLDivElement | null>) {
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const open = useBuilderState((state) => state.open);
  const dock = useBuilderState((state) => state.dock);
  useEffect(() => {
    // After the dock has taken its room.
    const timer = setTimeout(() => {
      if (dock === "phone") void flow.fitView({ maxZoom: 1, padding: 0.12 });
      else if (dock === "step" && open) bringIntoSight(flow, canvas.current, open);
    }, 60);
    return () => clearTimeout(timer);
  }, [open, dock, flow, canvas]);
}
