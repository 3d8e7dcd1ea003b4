// A page of several pages, with their list at its side; on a phone the list stands above. Must not know the pages.
import { Suspense, useEffect, useRef } from "react";
import { NavLink, Outlet, useLocation } from "react-router";

import { cx } from "./cx";
import { EmptyState } from "./Note";
import { Page } from "./Page";
import { Loading } from "./Spinner";

export type SectionLink = { to: string; text: string };

type SectionLayoutProps = {
  label: string;
  /** Leads to the first that is open. */
  home: string;
  /** Those that are open. */
  links: SectionLink[];
};

export function SectionLayout({ label, home, links }: SectionLayoutProps) {
  const list = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const isOpen =
    pathname === home || links.some(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
  // On a phone the list is wider than the page: the one that is shown must be seen.
  useEffect(() => {
    list.current
      ?.querySelector("[aria-current=page]")
      ?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [pathname]);
  return (
    <div className="mx-auto flex w-full max-w-6xl min-w-0 flex-1 flex-col md:flex-row">
      <nav
        ref={list}
        aria-label={label}
        className="flex shrink-0 gap-1 overflow-x-auto px-4 pt-3 md:w-44 md:flex-col md:pt-7 md:pr-0"
      >
        {links.map((link) => (
          <NavLink
            key={link.to}
            to={link.to}
            className={({ isActive }) =>
              cx(
                "shrink-0 rounded-md px-2 py-1.5 text-sm",
                isActive
                  ? "bg-raised font-medium text-text"
                  : "text-muted hover:bg-raised/60 hover:text-text",
              )
            }
          >
            {link.text}
          </NavLink>
        ))}
      </nav>
      <div className="flex min-w-0 flex-1 flex-col">
        {isOpen ? (
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        ) : (
          <Page title={label}>
            <EmptyState title="This page is not open to you here." />
          </Page>
        )}
      </div>
    </div>
  );
}
