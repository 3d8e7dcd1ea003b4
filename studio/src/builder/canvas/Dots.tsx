// The dots behind the workflow. They are drawn once and shifted with the view: painting them anew in each frame would
// paint the whole canvas.
import { useStoreApi } from "@xyflow/react";
import { useLayoutEffect, useRef } from "react";

const GAP = 20;

export function Dots() {
  const store = useStoreApi();
  const dots = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    let shown = "";
    const place = () => {
      const [x, y, zoom] = store.getState().transform;
      const gap = GAP * zoom;
      const place = `translate(${x % gap}px, ${y % gap}px)`;
      if (!dots.current || shown === place + gap) return;
      shown = place + gap;
      dots.current.style.transform = place;
      dots.current.style.backgroundSize = `${gap}px ${gap}px`;
    };
    place();
    return store.subscribe(place);
  }, [store]);
  return <div ref={dots} aria-hidden className="canvas-dots" />;
}
