// What is held about oneself: a copy of it, and the end of the account.
import { Download } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";

import { api } from "../api/client";
import { download } from "../api/download";
import { useForget } from "../session/session";
import { Button } from "../ui/Button";
import { FormDialog } from "../ui/FormDialog";
import { Note } from "../ui/Note";
import { Section } from "../ui/Page";
import { TextField } from "../ui/TextField";
import { toast } from "../ui/Toast";
import { useSubmit } from "../ui/useSubmit";

export function YourData() {
  const [isLeaving, setLeaving] = useState(false);
  return (
    <Section
      title="Your data"
      description="Your account, roles, sessions and who you are at other providers."
    >
      <div className="flex flex-wrap gap-2">
        <Button
          icon={<Download size={14} aria-hidden />}
          onClick={() => void download("/api/me/export", "my-data.json").catch(toast.error)}
        >
          Download it
        </Button>
        <Button look="danger" onClick={() => setLeaving(true)}>
          Delete your account…
        </Button>
      </div>
      {isLeaving && <LeaveDialog onClose={() => setLeaving(false)} />}
    </Section>
  );
}

function LeaveDialog({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState("");
  const forget = useForget();
  const navigate = useNavigate();
  const form = useSubmit(async () => {
    const { data } = await api.DELETE("/api/me", { body: { current_password: password || null } });
    forget();
    await navigate("/sign-in");
    if (data) toast.done(data.message);
  }, ["current_password"]);
  return (
    <FormDialog
      title="Delete your account?"
      action="Delete it for good"
      isDangerous
      form={form}
      onClose={onClose}
    >
      <Note tone="bad">
        At once, with your sessions, roles and invitations. This cannot be undone. What you did stays in audit
        trails.
      </Note>
      <TextField
        label="Your password"
        hint="Leave it empty if you have none, because you sign in by another provider."
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        error={form.errorAt("current_password")}
      />
    </FormDialog>
  );
}
