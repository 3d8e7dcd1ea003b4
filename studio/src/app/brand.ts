// Whose studio this seems to be: name, picture and colour, by the host name and, for who is signed in, by the workspace.
// Must not know pages.
import { create } from "zustand";

import { api, type Schema } from "../api/client";
import { nameSite } from "../ui/title";
import { onAccent } from "./contrast";
import { useTheme } from "./theme";

export type Brand = Schema<"BrandView">;

const NOBODY: Brand = {
  name: "Sluice",
  accent: null,
  accent_dark: null,
  logo_url: null,
  support_email: null,
};

type BrandState = { host: Brand; workspace: Brand | null };
const useBrands = create<BrandState>(() => ({ host: NOBODY, workspace: null }));

const shownOf = ({ host, workspace }: BrandState) => workspace ?? host;
export const useBrand = () => useBrands(shownOf);

/** What people see in the workspace that they work in; null for the looks of the host. */
export const showWorkspaceBrand = (workspace: Brand | null) => useBrands.setState({ workspace });

/** Reads the looks of this host, and colours the page whenever looks or theme change. */
export function applyBrand() {
  const show = () => {
    const brand = shownOf(useBrands.getState());
    nameSite(brand.name);
    const isDark = useTheme.getState().shown === "dark";
    const accent = isDark ? (brand.accent_dark ?? brand.accent) : brand.accent;
    const { style } = document.documentElement;
    if (accent) {
      style.setProperty("--accent", accent);
      style.setProperty("--on-accent", onAccent(accent));
    } else {
      style.removeProperty("--accent");
      style.removeProperty("--on-accent");
    }
  };
  useBrands.subscribe(show);
  useTheme.subscribe(show);
  void readHostBrand();
}

/** Reads the looks of this host. Without an answer the studio looks as it did. */
export const readHostBrand = () =>
  api.GET("/api/branding").then(
    ({ data }) => data && useBrands.setState({ host: data }),
    () => undefined,
  );
