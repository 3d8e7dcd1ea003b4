// Credentials and connected accounts: which there are and how they stand; never their secrets.
import { KeyRound, Link2, Plus } from "lucide-react";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";

import { $api, type Schema } from "../api/client";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Table } from "../ui/Table";
import { toast } from "../ui/Toast";
import { ConnectDialog } from "./ConnectDialog";
import { CredentialDialog } from "./CredentialDialog";
import { CredentialRow } from "./CredentialRow";

type Open = { dialog: "store"; credential: Schema<"CredentialView"> | null } | { dialog: "connect" } | null;

const COLUMNS = [
  "Name",
  { text: "Kind", className: "max-sm:hidden" },
  "State",
  { text: "Changed", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function CredentialsPage() {
  const query = $api.useQuery("get", "/api/credentials");
  const mayWrite = useMay()("credential:write");
  const [open, setOpen] = useState<Open>(null);
  useReturnFromProvider();
  const items = query.data?.items ?? [];
  const actions = mayWrite && (
    <>
      <Button icon={<Link2 size={14} aria-hidden />} onClick={() => setOpen({ dialog: "connect" })}>
        Connect an account
      </Button>
      <Button
        look="primary"
        icon={<Plus size={14} aria-hidden />}
        onClick={() => setOpen({ dialog: "store", credential: null })}
      >
        New credential
      </Button>
    </>
  );
  return (
    <Page title="Credentials" actions={items.length > 0 && actions}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && items.length === 0 && (
        <EmptyState icon={<KeyRound size={24} aria-hidden />} title="No credentials yet" action={actions}>
          Workflows name a credential; its secret is sealed here and never part of a workflow.
        </EmptyState>
      )}
      {items.length > 0 && (
        <Table label="Credentials" columns={COLUMNS}>
          {items.map((credential) => (
            <CredentialRow
              key={credential.id}
              credential={credential}
              onChange={() => setOpen({ dialog: "store", credential })}
            />
          ))}
        </Table>
      )}
      {open?.dialog === "store" && (
        <CredentialDialog credential={open.credential} onClose={() => setOpen(null)} />
      )}
      {open?.dialog === "connect" && <ConnectDialog onClose={() => setOpen(null)} />}
    </Page>
  );
}

/** A provider sends people back with what became of it in the address. */
function useReturnFromProvider() {
  const [query, setQuery] = useSearchParams();
  const status = query.get("status");
  const error = query.get("error");
  useEffect(() => {
    if (!status && !error) return;
    if (error) toast.error(new Error(`The account was not connected: ${error.replaceAll("_", " ")}`));
    else toast.done("The account is connected.");
    setQuery({}, { replace: true });
  }, [status, error, setQuery]);
}
