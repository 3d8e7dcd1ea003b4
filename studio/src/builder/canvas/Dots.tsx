// The dots behind the workflow. They are drawn once and shifted with the view: painting them anew in each frame would
// paint the whole canvas.
import { useStoreApi } from "@xyflow/react";
import { useLayoutEffect, useRef } from "react";

const GAP = 20;
/** Dots that are nearer to each other are noise, pixels. */
const DENSE = 13;

export function Dots() {
  const store = useStoreApi();
  const dots = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    let shown = "";
    const place = () => {
      const [x, y, zoom] = store.getState().transform;
      let gap = GAP * zoom;
      // From further away, every other dot is enough.
      while (gap < DENSE) gap *= 2;
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
