// Chooses light, dark or the system's colours.
import { Monitor, Moon, Sun } from "lucide-react";

import { IconButton } from "../ui/Button";
import { Menu, MenuItem } from "../ui/Menu";
import { useTheme, type Theme } from "./theme";

const choices: { theme: Theme; text: string; Icon: typeof Sun }[] = [
  { theme: "light", text: "Light", Icon: Sun },
  { theme: "dark", text: "Dark", Icon: Moon },
  { theme: "system", text: "Like the system", Icon: Monitor },
];

export function ThemeToggle() {
  const { theme, shown, choose } = useTheme();
  const Icon = shown === "dark" ? Moon : Sun;
  return (
    <Menu
      trigger={
        <IconButton label="Colours">
          <Icon size={16} aria-hidden />
        </IconButton>
      }
    >
      {choices.map((choice) => (
        <MenuItem
          key={choice.theme}
          icon={<choice.Icon size={14} aria-hidden />}
          keys={theme === choice.theme ? "✓" : undefined}
          onSelect={() => choose(choice.theme)}
        >
          {choice.text}
        </MenuItem>
      ))}
    </Menu>
  );
}
