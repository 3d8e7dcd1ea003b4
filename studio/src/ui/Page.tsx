// What every page has in common: its title, what can be done on it, and the width of its text.
import type { ReactNode } from "react";

import { cx } from "./cx";
import { useTitle } from "./title";

type PageProps = {
  title: string;
  /** Stands in the place of the title's text, when that is more than a text. */
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  /** Uses the whole width and height; the page scrolls its own parts. */
  isFull?: boolean;
  children: ReactNode;
};

export function Page({ title, heading, description, actions, isFull, children }: PageProps) {
  useTitle(title);
  return (
    <div
      className={cx(
        "flex min-h-0 w-full flex-1 flex-col gap-4 p-4 sm:p-6",
        !isFull && "mx-auto max-w-6xl",
        isFull && "sm:p-4",
      )}
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className={cx("min-w-0 flex-1", description && "basis-60")}>
          <h1 className="truncate text-lg font-semibold">{heading ?? title}</h1>
          {description && <div className="text-sm text-muted">{description}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page in a frame. */
export const Section = ({
  title,
  description,
  actions,
  children,
  className,
}: {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) => (
  <section aria-label={title} className={cx("flex flex-col gap-3", className)}>
    <header className="flex flex-wrap items-end gap-2">
      <div className={cx("min-w-0 flex-1", description && "basis-60")}>
        <h2 className="text-sm font-semibold">{title}</h2>
        {description && <p className="text-sm text-muted">{description}</p>}
      </div>
      {actions}
    </header>
    {children}
  </section>
);
