// A new password by a code: one that is sent by mail, or one that an operator gave (`sluice person create`).
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { api } from "../api/client";
import { Button } from "../ui/Button";
import { toast } from "../ui/Toast";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { Entry, EntryForm, EntryLink } from "./Entry";

export default function ForgotPage() {
  const [query] = useSearchParams();
  const [email, setEmail] = useState(query.get("email") ?? "");
  const [isSent, setSent] = useState(query.has("email"));
  const send = useSubmit(async () => {
    const { data } = await api.POST("/api/password/forgot", { body: { email } });
    toast.say(data?.message ?? "");
    setSent(true);
  }, ["email"]);
  if (isSent) return <ResetStep email={email} onEmail={setEmail} />;
  return (
    <Entry title="Forgot the password?" lead="We send a code to your address.">
      <EntryForm onSubmit={send.onSubmit} error={send.error} isBusy={send.isBusy} action="Send a code">
        <TextField
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          autoFocus
          value={email}
          onChange={setEmail}
          error={send.errorAt("email")}
        />
      </EntryForm>
      <Button look="quiet" onClick={() => setSent(true)}>
        I have a code
      </Button>
      <p className="text-sm text-muted">
        <EntryLink to="/sign-in">Back to sign in</EntryLink>
      </p>
    </Entry>
  );
}

function ResetStep({ email, onEmail }: { email: string; onEmail: (email: string) => void }) {
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    await api.POST("/api/password/reset", { body: { email, code: code.trim(), new_password: password } });
    toast.done("The password is changed. Sign in with it.");
    await navigate("/sign-in");
  }, ["email", "code", "new_password"]);
  return (
    <Entry title="Set a new password">
      <EntryForm onSubmit={form.onSubmit} error={form.error} isBusy={form.isBusy} action="Set the password">
        <TextField
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={onEmail}
          error={form.errorAt("email")}
        />
        <TextField
          label="Code"
          autoComplete="one-time-code"
          required
          value={code}
          onChange={setCode}
          error={form.errorAt("code")}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          hint="At least 8 characters."
          value={password}
          onChange={setPassword}
          error={form.errorAt("new_password")}
        />
      </EntryForm>
      <p className="text-sm text-muted">
        <EntryLink to="/sign-in">Back to sign in</EntryLink>
      </p>
    </Entry>
  );
}
