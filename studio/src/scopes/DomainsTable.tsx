// Host names of one's own: claiming one, proving it by a TXT record, giving one up. Must not know whose.
import { useState } from "react";

import type { Schema } from "../api/client";
import { StatusBadge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/Copy";
import { Confirm } from "../ui/Dialog";
import { FormDialog } from "../ui/FormDialog";
import { Section } from "../ui/Page";
import { Cell, Row, Table } from "../ui/Table";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";

type Domain = Schema<"DomainView">;

type DomainsTableProps = {
  domains: Domain[];
  mayWrite: boolean;
  onClaim: (host: string) => Promise<unknown>;
  onVerify: (domain: Domain) => void;
  onGiveUp: (domain: Domain) => Promise<unknown>;
};

export function DomainsTable({ domains, mayWrite, onClaim, onVerify, onGiveUp }: DomainsTableProps) {
  const [isClaiming, setClaiming] = useState(false);
  const [leaving, setLeaving] = useState<Domain | null>(null);
  return (
    <Section
      title="Host names"
      description="People who come under one of these see these looks."
      actions={mayWrite && <Button onClick={() => setClaiming(true)}>Claim a name</Button>}
    >
      {domains.length > 0 && (
        <Table
          label="Host names"
          columns={["Name", "Status", "TXT record", { text: "Actions", isHidden: true }]}
        >
          {domains.map((domain) => (
            <Row key={domain.host}>
              <Cell className="font-medium">{domain.host}</Cell>
              <Cell>
                <StatusBadge status={domain.status} />
                {domain.problem && <span className="block text-xs text-bad">{domain.problem}</span>}
              </Cell>
              <Cell>
                <RecordText label="Copy its name" text={domain.record_name} />
                <RecordText label="Copy its text" text={domain.record_value} />
              </Cell>
              <Cell className="text-right whitespace-nowrap">
                {mayWrite && (
                  <span className="inline-flex gap-1">
                    <Button size="small" look="quiet" onClick={() => onVerify(domain)}>
                      Look now
                    </Button>
                    <Button size="small" look="quiet" className="text-bad" onClick={() => setLeaving(domain)}>
                      Give up
                    </Button>
                  </span>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <Confirm
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title={`Give up ${leaving?.host ?? ""}?`}
        action="Give it up"
        isDangerous
        onConfirm={async () => leaving && onGiveUp(leaving)}
      >
        People who come under this name see the looks of the platform again.
      </Confirm>
      {isClaiming && <ClaimDialog onClaim={onClaim} onClose={() => setClaiming(false)} />}
    </Section>
  );
}

const RecordText = ({ text, label }: { text: string; label: string }) => (
  <span className="flex items-center gap-1">
    <code className="text-xs break-all">{text}</code>
    <CopyButton text={text} label={label} />
  </span>
);

type ClaimDialogProps = { onClaim: (host: string) => Promise<unknown>; onClose: () => void };

function ClaimDialog({ onClaim, onClose }: ClaimDialogProps) {
  const [host, setHost] = useState("");
  const form = useSubmit(async () => {
    await onClaim(host.trim());
    onClose();
  }, ["host"]);
  return (
    <FormDialog title="Claim a host name" action="Claim it" form={form} onClose={onClose}>
      <TextField
        label="Host name"
        placeholder="chat.example.com"
        required
        value={host}
        onChange={setHost}
        error={form.errorAt("host")}
        hint="It must point to this server. A TXT record at its DNS provider proves that it is yours."
      />
    </FormDialog>
  );
}
