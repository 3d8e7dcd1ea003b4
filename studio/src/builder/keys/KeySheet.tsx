// Shows the keys of the canvas.
import { Dialog } from "../../ui/Dialog";
import { sheet } from "./bindings";

export const KeySheet = ({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) => (
  <Dialog isOpen={isOpen} onClose={onClose} title="Keys" width="wide">
    <div className="grid gap-6 sm:grid-cols-3">
      {sheet.map(({ title, bindings }) => (
        <section key={title} aria-label={title}>
          <h3 className="mb-2 text-xs font-semibold text-muted uppercase">{title}</h3>
          <dl className="flex flex-col gap-2">
            {bindings.map(({ keys, does }) => (
              <div key={does} className="text-sm">
                <dt className="mb-0.5 flex gap-1">
                  {keys.map((key) => (
                    <kbd key={key} className="rounded border border-line bg-raised px-1.5 text-xs">
                      {key}
                    </kbd>
                  ))}
                </dt>
                <dd className="text-xs text-muted">{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  </Dialog>
);
