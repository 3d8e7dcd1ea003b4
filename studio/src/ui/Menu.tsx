// A list of things to do that opens from a button. Must not know what they do.
import { DropdownMenu } from "radix-ui";
import { createContext, use, useRef, type ReactNode } from "react";

import { cx } from "./cx";

type MenuProps = {
  /** The button. It must take a ref and props, as ours do. */
  trigger: ReactNode;
  align?: "start" | "center" | "end";
  side?: "top" | "right" | "bottom" | "left";
  children: ReactNode;
};

/** Takes what was chosen. It is done once the menu is gone and its button has the focus again: a window that opens then
 * knows where the focus came from, and gives it back there. */
const ChooseContext = createContext<(action: () => void) => void>((action) => action());

export function Menu({ trigger, align = "end", side, children }: MenuProps) {
  const chosen = useRef<(() => void) | null>(null);
  const act = () => {
    const action = chosen.current;
    chosen.current = null;
    if (action) queueMicrotask(action);
  };
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={act}
          className="z-50 max-h-[70dvh] max-w-[min(24rem,calc(100vw-1rem))] min-w-44 overflow-y-auto rounded-md border border-line bg-surface p-1 shadow-lg"
        >
          <ChooseContext value={(action) => (chosen.current = action)}>{children}</ChooseContext>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type ItemProps = {
  icon?: ReactNode;
  isDangerous?: boolean;
  /** The keys that do the same. */
  keys?: string;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
};

export const MenuItem = ({ icon, isDangerous, keys, disabled, onSelect, children }: ItemProps) => {
  const choose = use(ChooseContext);
  return (
    <DropdownMenu.Item
      disabled={disabled}
      onSelect={() => choose(onSelect)}
      className={cx(
        "flex cursor-default items-center gap-2 rounded px-2 py-1.5 text-sm outline-none data-[disabled]:opacity-50 data-[highlighted]:bg-raised",
        isDangerous ? "text-bad" : "text-text",
      )}
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys && <kbd className="text-xs text-muted">{keys}</kbd>}
    </DropdownMenu.Item>
  );
};

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <DropdownMenu.Label className="px-2 py-1.5 text-xs text-muted">{children}</DropdownMenu.Label>
);

export const MenuLine = () => <DropdownMenu.Separator className="my-1 h-px bg-line" />;
