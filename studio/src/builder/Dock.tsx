// The parts beside the canvas, of which one is open: the chosen node, the phone, problems, versions, the workflow.
import { X } from "lucide-react";
import { lazy, Suspense, type ReactNode } from "react";

import { IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { Loading } from "../ui/Spinner";
import { useBuilder, useBuilderState } from "./context";
import { StepPanel } from "./panel/StepPanel";
import { ProblemsPanel } from "./ProblemsPanel";
import type { DockTab } from "./store";

const PhonePanel = lazy(() => import("../phone/PhonePanel"));
const VersionsPanel = lazy(() =>
  import("./versions/VersionsPanel").then((part) => ({ default: part.VersionsPanel })),
);
const WorkflowPanel = lazy(() =>
  import("./workflow/WorkflowPanel").then((part) => ({ default: part.WorkflowPanel })),
);

const tabs: { id: DockTab; text: string }[] = [
  { id: "step", text: "Node" },
  { id: "phone", text: "Phone" },
  { id: "problems", text: "Problems" },
  { id: "versions", text: "Versions" },
  { id: "workflow", text: "Workflow" },
];

export function Dock({ isReadOnly }: { isReadOnly: boolean }) {
  const builder = useBuilder();
  const dock = useBuilderState((state) => state.dock);
  const show = (tab: DockTab | null) => builder.setState({ dock: tab });
  const parts: Record<DockTab, () => ReactNode> = {
    step: () => <StepPanel isReadOnly={isReadOnly} />,
    phone: () => <PhonePanel />,
    problems: () => <ProblemsPanel />,
    versions: () => <VersionsPanel isReadOnly={isReadOnly} />,
    workflow: () => <WorkflowPanel isReadOnly={isReadOnly} />,
  };
  return (
    <aside
      aria-label="Beside the canvas"
      data-dock
      className={cx(
        "flex min-h-0 shrink-0 flex-col border-l border-line bg-surface",
        dock && "w-[390px] max-w-full",
      )}
    >
      <div
        className={cx("flex shrink-0 items-center gap-0.5 border-line p-1", dock ? "border-b" : "flex-col")}
      >
        {tabs.map(({ id, text }) => (
          <button
            key={id}
            type="button"
            aria-pressed={dock === id}
            onClick={() => show(dock === id ? null : id)}
            className={cx(
              "rounded px-2 py-1 text-xs",
              dock === id ? "bg-raised font-medium text-text" : "text-muted hover:text-text",
              !dock && "[writing-mode:vertical-rl] py-2",
            )}
          >
            {text}
          </button>
        ))}
        {dock && (
          <IconButton label="Close" size="small" className="ml-auto" onClick={() => show(null)}>
            <X size={14} aria-hidden />
          </IconButton>
        )}
      </div>
      {dock && (
        <Suspense fallback={<Loading />}>
          <div className="flex min-h-0 flex-1 flex-col">{parts[dock]()}</div>
        </Suspense>
      )}
    </aside>
  );
}
