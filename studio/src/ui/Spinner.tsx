// Something is under way.
import { LoaderCircle } from "lucide-react";

export const Spinner = ({ size = 16 }: { size?: number }) => (
  <LoaderCircle aria-hidden size={size} className="shrink-0 animate-spin motion-reduce:animate-none" />
);

/** For a page or a part of one that waits for its data. */
export const Loading = ({ what = "Loading" }: { what?: string }) => (
  <div role="status" className="flex items-center justify-center gap-2 p-10 text-sm text-muted">
    <Spinner /> {what}…
  </div>
);
