// Somebody was invited: shows to what, and accepts as the person who is signed in.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { api, type Schema } from "../api/client";
import { Button } from "../ui/Button";
import { Note } from "../ui/Note";
import { toast } from "../ui/Toast";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { Entry, EntryForm, EntryLink } from "./Entry";
import { beginAnew, useSessionQuery } from "./session";

export default function InvitationPage() {
  const [query] = useSearchParams();
  const [token, setToken] = useState(query.get("token") ?? "");
  const [shown, setShown] = useState<Schema<"InvitationView"> | null>(null);
  const session = useSessionQuery();
  const client = useQueryClient();
  const navigate = useNavigate();
  const look = useSubmit(async () => {
    const { data } = await api.POST("/api/invitations/show", { body: { token: token.trim() } });
    setShown(data ?? null);
  }, ["token"]);
  const accept = useSubmit(async () => {
    await api.POST("/api/invitations/accept", { body: { token: token.trim() } });
    await beginAnew(client);
    toast.done("You have joined. Choose the workspace at the top of the navigation.");
    await navigate("/");
  });
  if (!shown) {
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
  const isSignedIn = Boolean(session.data?.person);
  return (
    <Entry title="An invitation">
      <Note>
        {shown.email} is invited as {shown.role.replaceAll("_", " ")}.
      </Note>
      {isSignedIn ? (
        <EntryForm onSubmit={accept.onSubmit} error={accept.error} isBusy={accept.isBusy} action="Accept">
          <p className="text-sm text-muted">You are signed in as {session.data?.person?.email}.</p>
        </EntryForm>
      ) : (
        <p className="text-sm text-muted">
          <EntryLink to={`/sign-in?to=${encodeURIComponent(`/invitation?token=${token}`)}`}>
            Sign in
          </EntryLink>{" "}
          or <EntryLink to="/sign-up">sign up</EntryLink> with this address, then come back here.
        </p>
      )}
      <Button look="quiet" onClick={() => setShown(null)}>
        Another token
      </Button>
    </Entry>
  );
}
