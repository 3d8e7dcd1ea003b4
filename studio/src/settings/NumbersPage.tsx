// Connected phone numbers: which there are, connecting one, letting one go.
import { Phone, Plus, Unplug } from "lucide-react";
import { useState } from "react";

import { $api, api } from "../api/client";
import { useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { StatusBadge } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { FormDialog } from "../ui/FormDialog";
import { Input } from "../ui/Input";
import { EmptyState, ErrorNote } from "../ui/Note";
import { Page } from "../ui/Page";
import { Loading } from "../ui/Spinner";
import { Cell, NameCell, Row, Table } from "../ui/Table";
import { TextField } from "../ui/TextField";
import { Time } from "../ui/Time";
import { useSubmit } from "../ui/useSubmit";

const COLUMNS = [
  "Number",
  "Status",
  { text: "Credential", className: "max-sm:hidden" },
  { text: "Connected", className: "max-sm:hidden" },
  { text: "Actions", isHidden: true },
];

export default function NumbersPage() {
  const query = $api.useQuery("get", "/api/numbers");
  const mayWrite = useMay()("number:write");
  const reread = useReread();
  const [isConnecting, setConnecting] = useState(false);
  const [leaving, setLeaving] = useState<string | null>(null);
  const numbers = query.data?.items ?? [];
  const connect = mayWrite && (
    <Button look="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setConnecting(true)}>
      Connect a number
    </Button>
  );
  return (
    <Page title="Numbers" actions={numbers.length > 0 && connect}>
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && !query.error && <Loading />}
      {query.data && numbers.length === 0 && (
        <EmptyState icon={<Phone size={24} aria-hidden />} title="No number is connected." action={connect}>
          Customers write to a number; its messages start workflows, and workflows answer from it.
        </EmptyState>
      )}
      {numbers.length > 0 && (
        <Table label="Numbers" columns={COLUMNS}>
          {numbers.map((one) => (
            <Row key={one.phone_number_id}>
              <NameCell
                name={one.display_phone_number}
                title={one.phone_number_id}
                below={one.verified_name ?? one.phone_number_id}
              />
              <Cell>
                <StatusBadge status={one.status} />
              </Cell>
              <Cell className="max-sm:hidden">{one.credential}</Cell>
              <Cell className="text-muted max-sm:hidden">
                <Time at={one.connected_at} />
              </Cell>
              <Cell className="py-1 text-right">
                {mayWrite && (
                  <IconButton
                    label={`Disconnect ${one.display_phone_number}`}
                    size="small"
                    onClick={() => setLeaving(one.phone_number_id)}
                  >
                    <Unplug size={14} aria-hidden />
                  </IconButton>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {isConnecting && <ConnectDialog onClose={() => setConnecting(false)} />}
      <Confirm
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title="Disconnect this number?"
        action="Disconnect"
        isDangerous
        onConfirm={async () => {
          const path = { phone_number_id: leaving ?? "" };
          await api.DELETE("/api/numbers/{phone_number_id}", { params: { path } });
          await reread("/api/numbers");
        }}
      >
        Its messages start nothing any more and nothing is sent from it. Its conversations stay.
      </Confirm>
    </Page>
  );
}

const FIELDS = ["phone_number_id", "waba_id", "display_phone_number", "verified_name", "credential"] as const;

function ConnectDialog({ onClose }: { onClose: () => void }) {
  const credentials = $api.useQuery("get", "/api/credentials");
  const reread = useReread();
  const [values, setValues] = useState<Record<(typeof FIELDS)[number], string>>({
    phone_number_id: "",
    waba_id: "",
    display_phone_number: "",
    verified_name: "",
    credential: "",
  });
  const form = useSubmit(async () => {
    await api.POST("/api/numbers", { body: { ...values, verified_name: values.verified_name || null } });
    await reread("/api/numbers");
    onClose();
  }, FIELDS);
  const at = (name: (typeof FIELDS)[number]) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(name),
  });
  return (
    <FormDialog
      title="Connect a number"
      description="As it stands in the provider's settings."
      action="Connect"
      form={form}
      onClose={onClose}
    >
      <TextField label="Number, as people read it" required inputMode="tel" {...at("display_phone_number")} />
      <TextField label="Id of the number" required {...at("phone_number_id")} />
      <TextField label="Id of the business account" required {...at("waba_id")} />
      <TextField label="Verified name" {...at("verified_name")} />
      <Field label="Credential" required error={form.errorAt("credential")} hint="Sends in its name.">
        {(ids) => (
          <>
            <Input
              {...ids}
              list={`${ids.id}-names`}
              value={values.credential}
              onChange={(event) => setValues({ ...values, credential: event.target.value })}
            />
            <datalist id={`${ids.id}-names`}>
              {credentials.data?.items.map((one) => (
                <option key={one.id} value={one.name} label={one.kind} />
              ))}
            </datalist>
          </>
        )}
      </Field>
    </FormDialog>
  );
}
