// The door: address and password, another provider, or an API key.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate, useNavigate, useSearchParams } from "react-router";

import { api, ApiError, enterWorkspace, setApiKey, setCsrfToken } from "../api/client";
import { buttonClass } from "../ui/Button";
import { Note } from "../ui/Note";
import { Tabs } from "../ui/Tabs";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { Entry, EntryForm, EntryLink, useSignInOptions } from "./Entry";
import { beginAnew, sessionQuery, useSessionQuery } from "./session";

/** Only a place of the studio: who sends a link must not lead people elsewhere. */
const placeOf = (to: string | null) => (to && /^\/(?![/\\])/.test(to) ? to : "/");

export default function SignInPage() {
  const [query] = useSearchParams();
  const to = placeOf(query.get("to"));
  const session = useSessionQuery();
  const options = useSignInOptions();
  if (session.data) return <Navigate replace to={to} />;
  const { sign_up = "closed", mail = false, oidc = null } = options.data ?? {};
  return (
    <Entry title="Sign in">
      <RefusedElsewhere code={query.get("error")} />
      {oidc && (
        <a
          href={`${oidc.start}?return_to=${encodeURIComponent(to)}`}
          className={buttonClass("plain", "normal", "h-9")}
        >
          Go on with {oidc.name}
        </a>
      )}
      <Tabs
        label="Ways to sign in"
        tabs={[
          { id: "password", label: "With a password", content: <PasswordForm to={to} hasMail={mail} /> },
          { id: "key", label: "With an API key", content: <KeyForm to={to} /> },
        ]}
      />
      {sign_up !== "closed" && mail && (
        <p className="text-sm text-muted">
          New here? <EntryLink to="/sign-up">Sign up</EntryLink>
        </p>
      )}
    </Entry>
  );
}

/** Codes with which the server sends back a browser that another provider did not get in. */
const REFUSALS: Record<string, string> = {
  sign_in_refused: "The other provider did not sign you in, or it took too long. Try again.",
  not_approved: "Your account has to be approved before you can sign in. You get a letter when it is.",
  sign_up_closed: "Nobody can sign up here by themselves. Ask for an invitation.",
  provider_unavailable: "The other provider cannot be reached just now. Try again later.",
};

/** Only codes travel in the address: who sends a link must not put words on this page. */
const RefusedElsewhere = ({ code }: { code: string | null }) =>
  code && <Note tone="bad">{REFUSALS[code] ?? "Signing in at the other provider failed. Try again."}</Note>;

function PasswordForm({ to, hasMail }: { to: string; hasMail: boolean }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    setApiKey(null);
    enterWorkspace(null);
    const { data } = await api.POST("/api/login", { body: { email, password } });
    setCsrfToken(data?.csrf_token ?? null);
    await beginAnew(client);
    await navigate(to, { replace: true });
  });
  return (
    <EntryForm onSubmit={form.onSubmit} error={form.error} isBusy={form.isBusy} action="Sign in">
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
        required
        autoFocus
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        required
      />
      {form.error instanceof ApiError && form.error.details.status === "pending_verification" && (
        <Note>
          The address is not proven yet.{" "}
          <EntryLink to={`/sign-up?email=${encodeURIComponent(email)}`}>Enter the code</EntryLink>
        </Note>
      )}
      {hasMail && (
        <p className="text-sm text-muted">
          <EntryLink to="/forgot">Forgot the password?</EntryLink>
        </p>
      )}
    </EntryForm>
  );
}

function KeyForm({ to }: { to: string }) {
  const [key, setKey] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    enterWorkspace(null);
    setApiKey(key.trim());
    await beginAnew(client).catch((error: unknown) => {
      setApiKey(null);
      throw error;
    });
    if (!client.getQueryData(sessionQuery.queryKey)) {
      throw new Error("The server does not know this key, or it was revoked.");
    }
    await navigate(to, { replace: true });
  });
  return (
    <EntryForm onSubmit={form.onSubmit} error={form.error} isBusy={form.isBusy} action="Go on with the key">
      <TextField
        label="API key"
        type="password"
        autoComplete="off"
        value={key}
        onChange={setKey}
        required
        hint="Begins with sk_. This tab keeps it until it is closed."
      />
    </EntryForm>
  );
}
