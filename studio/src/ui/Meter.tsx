// How much of something is used. Drawn by ourselves: browsers paint their own meters for a light ground only.
import { cx } from "./cx";

type MeterProps = { label: string; value: number; max: number };

/** From this part on it is nearly all. */
const NEARLY = 0.9;

export function Meter({ label, value, max }: MeterProps) {
  const part = max > 0 ? Math.min(value / max, 1) : 1;
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={Math.min(value, max)}
      className="mt-1.5 h-2 w-full overflow-hidden rounded-full bg-line"
    >
      <div
        className={cx("h-full rounded-full", part >= 1 ? "bg-bad" : part >= NEARLY ? "bg-warn" : "bg-accent")}
        style={{ width: `${part * 100}%` }}
      />
    </div>
  );
}
