// One key in the list: replacing it, ending it.
import { useState } from "react";

import { api, type Schema } from "../api/client";
import { useReread } from "../api/useAct";
import { useMay } from "../session/session";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Cell, NameCell, Row } from "../ui/Table";
import { Time } from "../ui/Time";
import { Tip } from "../ui/Tip";
import { counted } from "../ui/words";

type KeyRowProps = { apiKey: Schema<"KeyView">; onMade: (key: Schema<"NewKeyView">) => void };

export function KeyRow({ apiKey, onMade }: KeyRowProps) {
  const mayWrite = useMay()("key:write");
  const reread = useReread();
  const [question, setQuestion] = useState<"rotate" | "end" | null>(null);
  const path = { id: apiKey.id };
  const isEnded = apiKey.revoked_at !== null;
  const rotate = async () => {
    const { data } = await api.POST("/api/keys/{id}/rotate", { params: { path }, body: {} });
    await reread("/api/keys");
    if (data) onMade(data);
  };
  const end = async () => {
    await api.DELETE("/api/keys/{id}", { params: { path } });
    await reread("/api/keys");
  };
  return (
    <Row className={isEnded ? "text-muted" : undefined}>
      <NameCell name={apiKey.name} title={apiKey.name} below={<code>{apiKey.prefix}…</code>} />
      <Cell className="max-sm:hidden">
        <Tip text={apiKey.permissions.join(", ")}>
          <span tabIndex={0}>{counted(apiKey.permissions.length, "permission")}</span>
        </Tip>
        {apiKey.addresses.length > 0 && (
          <span className="block text-xs text-muted">from {apiKey.addresses.join(", ")}</span>
        )}
      </Cell>
      <Cell className="text-muted max-sm:hidden">
        <Time at={apiKey.last_used_at} fallback="never" />
      </Cell>
      <Cell>
        {isEnded ? <Badge tone="bad">ended</Badge> : <Time at={apiKey.expires_at} fallback="for ever" />}
      </Cell>
      <Cell className="text-right whitespace-nowrap">
        {mayWrite && !isEnded && (
          <span className="inline-flex gap-1">
            <Button size="small" look="quiet" onClick={() => setQuestion("rotate")}>
              Replace
            </Button>
            <Button size="small" look="quiet" className="text-bad" onClick={() => setQuestion("end")}>
              End
            </Button>
          </span>
        )}
      </Cell>
      <Confirm
        isOpen={question === "rotate"}
        onClose={() => setQuestion(null)}
        title={`Replace “${apiKey.name}”?`}
        action="Make its successor"
        onConfirm={rotate}
      >
        A new key takes its place and is shown once. The old one goes on working for a day.
      </Confirm>
      <Confirm
        isOpen={question === "end"}
        onClose={() => setQuestion(null)}
        title={`End “${apiKey.name}”?`}
        action="End the key"
        isDangerous
        onConfirm={end}
      >
        Whatever uses it is refused at once.
      </Confirm>
    </Row>
  );
}
