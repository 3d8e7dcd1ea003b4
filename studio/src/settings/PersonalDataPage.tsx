// What is held about customers: finding one, handing out all of it, erasing it, and the proofs of earlier erasures.
import { Search, UserSearch } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";

import { $api, type Schema } from "../api/client";
import { download, fileName } from "../api/download";
import { byCursor, itemsOf } from "../api/pages";
import { useMay } from "../session/session";
import { Button } from "../ui/Button";
import { More } from "../ui/More";
import { EmptyState, ErrorNote, Note } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { TextField } from "../ui/TextField";
import { Time } from "../ui/Time";
import { toast } from "../ui/Toast";
import { contactName, contactNumbers } from "./contacts";
import { EraseDialog } from "./EraseDialog";
import { Erasures } from "./Erasures";

type Contact = Schema<"ContactView">;

const COLUMNS = [
  "Customer",
  { text: "Known by", className: "max-sm:hidden" },
  { text: "First seen", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function PersonalDataPage() {
  const may = useMay();
  return (
    <Page title="Personal data" description="What is held about a customer: handed out, or erased.">
      <Note>
        An export may tell of other people, too: look before you hand it on. An erasure does not reach
        backups, nor what workflows sent elsewhere.
      </Note>
      {may("contact:read") && <Customers />}
      {may("contact:erase") && <Erasures />}
    </Page>
  );
}

function Customers() {
  const may = useMay();
  const [address, setAddress] = useSearchParams();
  const search = address.get("search") ?? "";
  const [typed, setTyped] = useState(search);
  const [erasing, setErasing] = useState<Contact | null>(null);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/contacts",
    { params: { query: { ...(search && { search }), limit: 20 } } },
    byCursor,
  );
  const contacts = itemsOf(query.data);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAddress(typed.trim() ? { search: typed.trim() } : {});
  };
  return (
    <Section title="Customers">
      <form role="search" onSubmit={submit} className="flex max-w-md items-end gap-2">
        <TextField
          label="Find a customer"
          type="search"
          placeholder="Part of a name, number or address"
          className="flex-1"
          value={typed}
          onChange={setTyped}
        />
        <Button type="submit" icon={<Search size={14} aria-hidden />}>
          Find
        </Button>
      </form>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.isSuccess && contacts.length === 0 && (
        <EmptyState
          icon={<UserSearch size={24} aria-hidden />}
          title={search ? "Nobody is known by that" : "No customer wrote yet"}
        />
      )}
      {contacts.length > 0 && (
        <Table label="Customers" columns={COLUMNS}>
          {contacts.map((contact) => (
            <Row key={contact.id}>
              <NameCell
                name={contactName(contact)}
                title={contactName(contact)}
                below={<span className="sm:hidden">{contactNumbers(contact)}</span>}
              />
              <Cell className="max-w-64 text-muted max-sm:hidden">
                <span className="block truncate" title={contactNumbers(contact)}>
                  {contactNumbers(contact)}
                </span>
              </Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={contact.created_at} />
              </Cell>
              <Cell className="text-right whitespace-nowrap">
                {may("contact:export") && <ExportButton contact={contact} />}
                {may("contact:erase") && (
                  <Button size="small" look="quiet" className="text-bad" onClick={() => setErasing(contact)}>
                    Erase…<span className="sr-only"> {contactName(contact)}</span>
                  </Button>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <More query={query} />
      {erasing && <EraseDialog contact={erasing} onClose={() => setErasing(null)} />}
    </Section>
  );
}

function ExportButton({ contact }: { contact: Contact }) {
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      await download(
        `/api/contacts/${encodeURIComponent(contact.id)}/export`,
        fileName(contactName(contact), "json"),
      );
    } catch (error) {
      toast.error(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="small" look="quiet" busy={isBusy} onClick={() => void save()}>
      Export<span className="sr-only"> {contactName(contact)}</span>
    </Button>
  );
}
