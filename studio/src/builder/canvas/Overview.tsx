// The whole workflow in small, in the corner: a click or a drag goes there, the wheel zooms.
import { Panel, useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { useEffect, useRef, type PointerEvent } from "react";

import { useTheme } from "../../app/theme";
import type { CanvasEdge, CanvasNode } from "../../graph/elements";
import { paintOverview, type Overview as Painted } from "./overview";

/** In a narrower canvas it would hide what it shows, pixels. */
const NARROW = 480;

export function Overview() {
  return useStore((state) => state.width >= NARROW) ? <Painting /> : null;
}

function Painting() {
  const store = useStoreApi<CanvasNode, CanvasEdge>();
  const flow = useReactFlow();
  const theme = useTheme((state) => state.shown);
  const canvas = useRef<HTMLCanvasElement>(null);
  const painted = useRef<Painted | null>(null);
  useEffect(() => {
    if (!canvas.current) return;
    // Painted anew when the colours change.
    const overview = paintOverview(canvas.current, store);
    painted.current = overview;
    return overview.stop;
  }, [store, theme]);
  useEffect(() => {
    const zoom = (event: WheelEvent) => {
      event.preventDefault();
      void flow.zoomTo(flow.getZoom() * 2 ** (-event.deltaY * 0.002));
    };
    const element = canvas.current;
    element?.addEventListener("wheel", zoom, { passive: false });
    return () => element?.removeEventListener("wheel", zoom);
  }, [flow]);
  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!event.buttons || !painted.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    event.currentTarget.setPointerCapture(event.pointerId);
    const { x, y } = painted.current.toFlow({ x: event.clientX - box.x, y: event.clientY - box.y });
    void flow.setCenter(x, y, { zoom: flow.getZoom() });
  };
  return (
    <Panel position="bottom-right">
      <canvas
        ref={canvas}
        role="img"
        aria-label="Overview"
        className="block h-[130px] w-[190px] cursor-pointer rounded-md border border-line bg-surface"
        onPointerDown={go}
        onPointerMove={go}
      />
    </Panel>
  );
}
