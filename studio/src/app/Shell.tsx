// The frame of every page for people who are signed in: navigation at the side (on a phone, at the bottom), the page.
// Must not know what pages show.
import clsx from "clsx";
import { Suspense } from "react";
import { NavLink, Outlet } from "react-router";

import { useSession } from "../session/session";
import { ImpersonationNote } from "../session/ImpersonationNote";
import { WhoMenu } from "../session/WhoMenu";
import { WorkspaceMenu } from "../session/WorkspaceMenu";
import { Loading } from "../ui/Spinner";
import { BrandMark } from "./BrandMark";
import { ConnectionNote } from "./ConnectionNote";
import { footPlaces, isOpenTo, places, type Place } from "./navigation";
import { ThemeToggle } from "./ThemeToggle";
import { WorkspaceBrand } from "./WorkspaceBrand";

export function Shell() {
  const session = useSession();
  const open = places.filter((place) => isOpenTo(place, session));
  const foot = footPlaces.filter((place) => isOpenTo(place, session));
  return (
    <div className="flex h-dvh flex-col sm:flex-row">
      <WorkspaceBrand />
      <a
        href="#page"
        className="sr-only z-50 rounded-md bg-surface px-3 py-2 text-sm focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        To the page
      </a>
      <aside className="flex shrink-0 items-center gap-1 border-line bg-surface max-sm:border-b max-sm:px-2 max-sm:py-1.5 sm:w-52 sm:flex-col sm:items-stretch sm:border-r sm:p-2">
        <div className="px-2 py-1.5 max-sm:hidden">
          <BrandMark />
        </div>
        <div className="min-w-0 max-sm:flex-1">
          <WorkspaceMenu />
        </div>
        <nav aria-label="Main" className="mt-2 flex flex-1 flex-col gap-0.5 max-sm:hidden">
          {open.map((place) => (
            <PlaceLink key={place.to} place={place} />
          ))}
          <div className="mt-auto flex flex-col gap-0.5">
            {foot.map((place) => (
              <PlaceLink key={place.to} place={place} />
            ))}
          </div>
        </nav>
        <div className="flex items-center gap-1 sm:mt-1 sm:border-t sm:border-line sm:pt-2">
          <WhoMenu />
          <ThemeToggle />
        </div>
      </aside>
      <main
        id="page"
        tabIndex={-1}
        className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto outline-none"
      >
        <ConnectionNote />
        <ImpersonationNote />
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <nav aria-label="Main" className="flex shrink-0 border-t border-line bg-surface sm:hidden">
        {[...open, ...foot].map((place) => (
          <PlaceLink key={place.to} place={place} isTab />
        ))}
      </nav>
    </div>
  );
}

const PlaceLink = ({ place: { to, text, Icon }, isTab }: { place: Place; isTab?: boolean }) => (
  <NavLink
    to={to}
    className={({ isActive }) =>
      clsx(
        isTab
          ? "flex min-w-0 flex-1 flex-col items-center gap-0.5 py-1.5 text-[0.6875rem]"
          : "flex items-center gap-2 rounded-md px-2 py-1.5 text-sm",
        isActive ? "font-medium text-text" : "text-muted hover:text-text",
        !isTab && (isActive ? "bg-raised" : "hover:bg-raised/60"),
      )
    }
  >
    <Icon size={isTab ? 18 : 16} aria-hidden className="shrink-0" />
    <span className="max-w-full truncate">{text}</span>
  </NavLink>
);
