// Somebody was invited: shows to what, and accepts as the person who is signed in.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { api, type Schema } from "../api/client";
import { Button } from "../ui/Button";
import { Note } from "../ui/Note";
import { toast } from "../ui/Toast";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { Entry, EntryForm, EntryLink } from "./Entry";
import { beginAnew, enterJoined, useSessionQuery } from "./session";

type Invitation = Schema<"InvitationView">;

const TO_WHAT: Record<string, string> = {
  workspace: "a workspace",
  reseller: "the team of a reseller",
  platform: "the team of the platform",
};

export default function InvitationPage() {
  const [query] = useSearchParams();
  const given = query.get("token") ?? "";
  const [token, setToken] = useState(given);
  const [shown, setShown] = useState<Invitation | null>(null);
  const look = useSubmit(async () => {
    const { data } = await api.POST("/api/invitations/show", { body: { token: token.trim() } });
    setShown(data ?? null);
  }, ["token"]);
  // Whoever follows the link has nothing to type.
  const isAsked = useRef(false);
  useEffect(() => {
    if (given && !isAsked.current) void look.run();
    isAsked.current = true;
  });
  if (shown) return <Answer invitation={shown} token={token.trim()} onOther={() => setShown(null)} />;
  return (
    <Entry title="An invitation" lead="Paste the token from the letter, or the one you were handed.">
      <EntryForm
        onSubmit={look.onSubmit}
        error={look.error}
        isBusy={look.isBusy}
        action="Show the invitation"
      >
        <TextField
          label="Token"
          value={token}
          onChange={setToken}
          error={look.errorAt("token")}
          required
          autoFocus
        />
      </EntryForm>
    </Entry>
  );
}

type AnswerProps = { invitation: Invitation; token: string; onOther: () => void };

function Answer({ invitation: { email, role, scope }, token, onOther }: AnswerProps) {
  const session = useSessionQuery();
  const client = useQueryClient();
  const navigate = useNavigate();
  const person = session.data?.person;
  const accept = useSubmit(async () => {
    await api.POST("/api/invitations/accept", { body: { token } });
    const before = session.data?.workspaces ?? [];
    await beginAnew(client);
    const joined = scope === "workspace" ? await enterJoined(client, before) : null;
    toast.done(joined ? `You have joined ${joined}.` : "You have joined.");
    await navigate(scope === "workspace" ? "/" : "/admin");
  });
  const back = encodeURIComponent(`/invitation?token=${token}`);
  return (
    <Entry title="An invitation">
      <Note>
        {email} is invited as {role.replaceAll("_", " ")} to {TO_WHAT[scope] ?? scope}.
      </Note>
      {person ? (
        <EntryForm onSubmit={accept.onSubmit} error={accept.error} isBusy={accept.isBusy} action="Accept">
          <p className="text-sm text-muted">You are signed in as {person.email}.</p>
        </EntryForm>
      ) : (
        <p className="text-sm text-muted">
          <EntryLink to={`/sign-in?to=${back}`}>Sign in</EntryLink> or{" "}
          <EntryLink to={`/sign-up?for=${encodeURIComponent(email)}&to=${back}`}>sign up</EntryLink> with this
          address, and you are led back here.
        </p>
      )}
      <Button look="quiet" onClick={onOther}>
        Another token
      </Button>
    </Entry>
  );
}
