// The name of the browser's tab: the page, and whose site it is. Must not know who that is: it is told.
import { useEffect } from "react";
import { create } from "zustand";

const useSite = create(() => ({ name: "Sluice" }));

/** Whose site this seems to be. */
export const nameSite = (name: string) => useSite.setState({ name });

/** Names the browser's tab. */
export function useTitle(title: string) {
  const { name } = useSite();
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
}
