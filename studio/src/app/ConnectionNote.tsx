// Says that the server does not answer, and that this page waits for it. Goes away by itself.
import { useConnection } from "../api/connection";
import { Spinner } from "../ui/Spinner";

export function ConnectionNote() {
  const isLost = useConnection((state) => state.isLost);
  return (
    <div role="status" aria-live="polite">
      {isLost && (
        <div className="flex items-center gap-2 border-b border-warn/40 bg-warn/10 px-4 py-1.5 text-sm text-text">
          <Spinner size={14} />
          The server does not answer. This page goes on by itself as soon as it does.
        </div>
      )}
    </div>
  );
}
