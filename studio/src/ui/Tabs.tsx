// Parts of a page of which one is shown. Must not know what they hold.
import { Tabs as RadixTabs } from "radix-ui";
import type { ReactNode } from "react";

import { cx } from "./cx";

type Tab = { id: string; label: ReactNode; content: ReactNode };
type TabsProps = {
  label: string;
  tabs: Tab[];
  value?: string;
  onChange?: (id: string) => void;
  className?: string;
  /** Classes of the part below the tabs. */
  contentClass?: string;
};

export function Tabs({ label, tabs, value, onChange, className, contentClass }: TabsProps) {
  return (
    <RadixTabs.Root
      value={value}
      defaultValue={value === undefined ? tabs[0]?.id : undefined}
      onValueChange={onChange}
      className={cx("flex min-h-0 flex-col", className)}
    >
      <RadixTabs.List aria-label={label} className="flex shrink-0 gap-1 overflow-x-auto border-b border-line">
        {tabs.map((tab) => (
          <RadixTabs.Trigger
            key={tab.id}
            value={tab.id}
            className="-mb-px shrink-0 border-b-2 border-transparent px-2.5 py-1.5 text-sm text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-text"
          >
            {tab.label}
          </RadixTabs.Trigger>
        ))}
      </RadixTabs.List>
      {tabs.map((tab) => (
        <RadixTabs.Content key={tab.id} value={tab.id} className={cx("min-h-0 pt-3", contentClass)}>
          {tab.content}
        </RadixTabs.Content>
      ))}
    </RadixTabs.Root>
  );
}
