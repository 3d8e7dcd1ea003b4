// Light, dark, or as the system is. Kept in this browser; the class on <html> chooses the colours of `styles.css`.
import { create } from "zustand";

export type Theme = "system" | "light" | "dark";
const PLACE = "sluice.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

const stored = (): Theme => {
  const theme = localStorage.getItem(PLACE);
  return theme === "light" || theme === "dark" ? theme : "system";
};
const shown = (theme: Theme): "light" | "dark" =>
  theme === "system" ? (system.matches ? "dark" : "light") : theme;

type ThemeState = { theme: Theme; shown: "light" | "dark"; choose: (theme: Theme) => void };

export const useTheme = create<ThemeState>((set) => ({
  theme: stored(),
  shown: shown(stored()),
  choose: (theme) => {
    localStorage.setItem(PLACE, theme);
    set({ theme, shown: shown(theme) });
  },
}));

/** Sets the class now and whenever the choice or the system changes. */
export function applyTheme() {
  const apply = () => document.documentElement.classList.toggle("dark", useTheme.getState().shown === "dark");
  apply();
  useTheme.subscribe(apply);
  system.addEventListener("change", () => {
    const { theme } = useTheme.getState();
    useTheme.setState({ shown: shown(theme) });
  });
}
