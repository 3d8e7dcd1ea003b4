// The credits of the platform, or of the reseller: what is held, what was moved, and moving more.
import { Coins } from "lucide-react";
import { useState } from "react";

import { $api } from "../api/client";
import { Balances, Entries } from "../scopes/Accounts";
import { useMayBeyond } from "../session/session";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { MoveCreditsDialog } from "./MoveCreditsDialog";

export default function CreditsPage() {
  const query = $api.useQuery("get", "/api/credits");
  const mayWrite = useMayBeyond()("ledger:write");
  const [isMoving, setMoving] = useState(false);
  const accounts = query.data?.items ?? [];
  const move = mayWrite && (
    <Button look="primary" icon={<Coins size={14} aria-hidden />} onClick={() => setMoving(true)}>
      Move credits
    </Button>
  );
  return (
    <Page
      title="Credits"
      description="Given to resellers and clients, who spend them, and taken back."
      actions={accounts.length > 0 && move}
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && accounts.length === 0 && (
        <EmptyState icon={<Coins size={24} aria-hidden />} title="No credits were moved yet" action={move}>
          Each move is one transfer: all at once or not at all, and it stays in the books.
        </EmptyState>
      )}
      {accounts.length > 0 && <Balances accounts={accounts} />}
      <Entries of="credits" accounts={accounts} />
      {isMoving && <MoveCreditsDialog onClose={() => setMoving(false)} />}
    </Page>
  );
}
