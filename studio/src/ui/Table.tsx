// A dense table in a frame that scrolls sideways by itself. Must not know rows' meaning.
import type { ComponentProps, ReactNode } from "react";

import { cx } from "./cx";

type TableProps = {
  /** Says what the table lists, for those who hear the page. */
  label: string;
  /** Heads of the columns; an object when one needs classes. */
  columns: (string | { text: string; className?: string; isHidden?: boolean })[];
  children: ReactNode;
  className?: string;
};

export function Table({ label, columns, children, className }: TableProps) {
  return (
    <div
      // Positioned, so that what only ears find stays in the frame and widens no page.
      className={cx("relative overflow-x-auto rounded-lg border border-line bg-surface", className)}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <table className="w-full border-collapse text-left text-sm">
        <thead>
          <tr className="border-b border-line">
            {columns.map((column) => {
              const { text, className, isHidden } =
                typeof column === "string" ? { text: column, className: "", isHidden: false } : column;
              return (
                <th
                  key={text}
                  scope="col"
                  className={cx("px-3 py-2 text-xs font-medium text-muted", className)}
                >
                  {isHidden ? <span className="sr-only">{text}</span> : text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </div>
  );
}

export const Row = ({ className, ...rest }: ComponentProps<"tr">) => (
  <tr {...rest} className={cx("hover:bg-raised/60", className)} />
);

export const Cell = ({ className, ...rest }: ComponentProps<"td">) => (
  <td {...rest} className={cx("px-3 py-2 align-middle", className)} />
);

type NameCellProps = { name: ReactNode; below?: ReactNode; title?: string };

/** What a row is called, and what is said below it. On a phone it takes what the other cells leave. */
export const NameCell = ({ name, below, title }: NameCellProps) => (
  <Cell className="max-w-64 max-sm:w-full max-sm:max-w-0 max-sm:min-w-32">
    <div className="truncate font-medium" title={title}>
      {name}
    </div>
    {below && <div className="truncate text-xs text-muted">{below}</div>}
  </Cell>
);
