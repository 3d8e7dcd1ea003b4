// API keys: which there are, making one, replacing one, ending one. A key is shown once.
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";

import { $api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { Secret } from "../ui/Copy";
import { Dialog } from "../ui/Dialog";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Table } from "../ui/Table";
import { KeyDialog } from "./KeyDialog";
import { KeyRow } from "./KeyRow";

const COLUMNS = [
  "Name",
  { text: "May", className: "max-sm:hidden" },
  { text: "Last used", className: "max-sm:hidden" },
  "Until",
  { text: "Actions", isHidden: true },
];

export default function KeysPage() {
  const query = $api.useQuery("get", "/api/keys");
  const mayWrite = useMay()("key:write");
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<Schema<"NewKeyView"> | null>(null);
  const keys = query.data?.items ?? [];
  const make = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New key
    </Button>
  );
  return (
    <Page title="API keys" description="For programs that use the API." actions={keys.length > 0 && make}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && keys.length === 0 && (
        <EmptyState icon={<KeyRound size={24} aria-hidden />} title="No keys yet" action={make} />
      )}
      {keys.length > 0 && (
        <Table label="API keys" columns={COLUMNS}>
          {keys.map((key) => (
            <KeyRow key={key.id} apiKey={key} onMade={setMade} />
          ))}
        </Table>
      )}
      {isMaking && (
        <KeyDialog
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
      {made && (
        <Dialog
          isOpen
          onClose={() => setMade(null)}
          title={`The key “${made.name}”`}
          description="It is shown this once. Keep it where secrets are kept."
          actions={
            <Button look="primary" onClick={() => setMade(null)}>
              I have it
            </Button>
          }
        >
          <Secret label="API key" text={made.key} />
        </Dialog>
      )}
    </Page>
  );
}
