// Says for as long as somebody acts in another's place, whose it is, and ends it.
import { Button } from "../ui/Button";
import { toast } from "../ui/Toast";
import { useEndImpersonation } from "./impersonation";
import { useSession } from "./session";

export function ImpersonationNote() {
  const { person, impersonator } = useSession();
  const end = useEndImpersonation();
  if (!impersonator || !person) return null;
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-2 border-b border-busy/40 bg-busy/10 px-4 py-1.5 text-sm text-text"
    >
      <span className="min-w-0 flex-1">
        {impersonator.name || impersonator.email}, you act in the place of {person.name || person.email}.
      </span>
      <Button size="small" onClick={() => void end().catch(toast.error)}>
        End it
      </Button>
    </div>
  );
}
