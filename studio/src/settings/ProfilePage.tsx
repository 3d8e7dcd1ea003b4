// Oneself: name, password, where one is signed in, and what is held about one.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { $api, api } from "../api/client";
import { useAct } from "../api/useAct";
import { sessionQuery, useSession } from "../session/session";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { ErrorNote } from "../ui/Note";
import { Page, Section } from "../ui/Page";
import { Cell, Row, Table } from "../ui/Table";
import { TextField } from "../ui/TextField";
import { Time } from "../ui/Time";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";
import { deviceOf } from "./devices";
import { YourData } from "./YourData";

export default function ProfilePage() {
  return (
    <Page title="Profile">
      <ProfileForm />
      <PasswordForm />
      <Sessions />
      <YourData />
    </Page>
  );
}

const FIELDS = ["name", "phone", "business_name", "industry"] as const;

function ProfileForm() {
  const { person } = useSession();
  const client = useQueryClient();
  const [values, setValues] = useState({
    name: person?.name ?? "",
    phone: person?.phone ?? "",
    business_name: person?.business_name ?? "",
    industry: person?.industry ?? "",
  });
  const form = useSubmit(async () => {
    await api.PUT("/api/me", { body: values });
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    toast.done("Saved.");
  }, FIELDS);
  const at = (name: (typeof FIELDS)[number]) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(name),
  });
  return (
    <Section title="About you" description={person?.email}>
      <form onSubmit={form.onSubmit} className="grid max-w-xl gap-3 sm:grid-cols-2">
        <TextField label="Name" autoComplete="name" {...at("name")} />
        <TextField label="Phone" autoComplete="tel" inputMode="tel" {...at("phone")} />
        <TextField label="Business" autoComplete="organization" {...at("business_name")} />
        <TextField label="What it does" {...at("industry")} />
        <div className="flex flex-col gap-2 sm:col-span-2">
          <ErrorNote error={form.error} />
          <Button type="submit" look="primary" busy={form.isBusy} className="self-start">
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const form = useSubmit(async () => {
    await api.POST("/api/password/change", { body: { current_password: current, new_password: next } });
    setCurrent("");
    setNext("");
    toast.done("The password is changed. Every other session has ended.");
  }, ["current_password", "new_password"]);
  return (
    <Section title="Password" description="A change ends every other session.">
      <form onSubmit={form.onSubmit} className="grid max-w-xl gap-3 sm:grid-cols-2">
        <TextField
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          onChange={setCurrent}
          error={form.errorAt("current_password")}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          value={next}
          onChange={setNext}
          error={form.errorAt("new_password")}
        />
        <div className="flex flex-col gap-2 sm:col-span-2">
          <ErrorNote error={form.error} />
          <Button type="submit" busy={form.isBusy} className="self-start">
            Change the password
          </Button>
        </div>
      </form>
    </Section>
  );
}

function Sessions() {
  const query = $api.useQuery("get", "/api/sessions");
  const client = useQueryClient();
  const { act, isBusy } = useAct("/api/sessions");
  const endAll = async () => {
    await api.POST("/api/logout-all");
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
  return (
    <Section
      title="Where you are signed in"
      actions={
        <Button size="small" look="danger" busy={isBusy} onClick={() => void act(endAll)}>
          Sign out everywhere
        </Button>
      }
    >
      <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
      <Table
        label="Sessions"
        columns={["Browser", "Address", "Last used", { text: "Actions", isHidden: true }]}
      >
        {query.data?.items.map((session) => (
          <Row key={session.id}>
            <Cell className="max-w-64">
              <span className="block truncate" title={session.user_agent ?? undefined}>
                {session.user_agent ? deviceOf(session.user_agent) : session.method}
              </span>
            </Cell>
            <Cell className="text-muted">{session.address}</Cell>
            <Cell className="text-muted">
              <Time at={session.last_used_at} />
            </Cell>
            <Cell className="text-right">
              {session.current ? (
                <Badge tone="ok">this one</Badge>
              ) : (
                <Button
                  size="small"
                  onClick={() =>
                    void act(() => api.DELETE("/api/sessions/{id}", { params: { path: { id: session.id } } }))
                  }
                >
                  End
                </Button>
              )}
            </Cell>
          </Row>
        ))}
      </Table>
    </Section>
  );
}
