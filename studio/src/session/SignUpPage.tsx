// Signing up: who it is, then the code that was sent. Says how it stands when somebody has to approve.
import { useState } from "react";
import { useSearchParams } from "react-router";

import { api } from "../api/client";
import { Button } from "../ui/Button";
import { Note } from "../ui/Note";
import { toast } from "../ui/Toast";
import { TextField } from "../ui/TextField";
import { useSubmit } from "../ui/useSubmit";
import { Entry, EntryForm, EntryLink } from "./Entry";

type Step = "who" | "code" | "done";

export default function SignUpPage() {
  const [query] = useSearchParams();
  const known = query.get("email");
  const to = query.get("to");
  const [step, setStep] = useState<Step>(known ? "code" : "who");
  const [email, setEmail] = useState(known ?? "");
  const [outcome, setOutcome] = useState("");
  if (step === "who") {
    return (
      <WhoStep
        email={query.get("for") ?? ""}
        onSent={(address) => {
          setEmail(address);
          setStep("code");
        }}
      />
    );
  }
  if (step === "code") {
    return (
      <CodeStep
        email={email}
        onProven={(message) => {
          setOutcome(message);
          setStep("done");
        }}
      />
    );
  }
  return (
    <Entry title="Thank you">
      <Note>{outcome}</Note>
      <p className="text-sm text-muted">
        <EntryLink to={to ? `/sign-in?to=${encodeURIComponent(to)}` : "/sign-in"}>Sign in</EntryLink>
      </p>
    </Entry>
  );
}

const FIELDS = ["name", "email", "phone", "business_name", "industry", "password"] as const;

function WhoStep({ email, onSent }: { email: string; onSent: (email: string) => void }) {
  const [values, setValues] = useState<Record<(typeof FIELDS)[number], string>>({
    name: "",
    email,
    phone: "",
    business_name: "",
    industry: "",
    password: "",
  });
  const form = useSubmit(async () => {
    const { phone, business_name, industry, ...must } = values;
    await api.POST("/api/signup", {
      body: {
        ...must,
        phone: phone || null,
        business_name: business_name || null,
        industry: industry || null,
      },
    });
    onSent(values.email);
  }, FIELDS);
  const at = (name: (typeof FIELDS)[number]) => ({
    value: values[name],
    onChange: (value: string) => setValues({ ...values, [name]: value }),
    error: form.errorAt(name),
  });
  return (
    <Entry title="Sign up">
      <EntryForm onSubmit={form.onSubmit} error={form.error} isBusy={form.isBusy} action="Sign up">
        <TextField label="Name" autoComplete="name" required autoFocus {...at("name")} />
        <TextField label="E-mail" type="email" autoComplete="email" required {...at("email")} />
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          hint="At least 8 characters."
          minLength={8}
          required
          {...at("password")}
        />
        <TextField
          label="Business"
          autoComplete="organization"
          hint="Your workspace is called after it."
          {...at("business_name")}
        />
        <TextField label="What it does" {...at("industry")} />
        <TextField
          label="Phone"
          inputMode="tel"
          autoComplete="tel"
          hint="With country code."
          {...at("phone")}
        />
      </EntryForm>
      <p className="text-sm text-muted">
        You have an account? <EntryLink to="/sign-in">Sign in</EntryLink>
      </p>
    </Entry>
  );
}

function CodeStep({ email, onProven }: { email: string; onProven: (message: string) => void }) {
  const [code, setCode] = useState("");
  const form = useSubmit(async () => {
    const { data } = await api.POST("/api/verify-email", { body: { email, code: code.trim() } });
    onProven(data?.message ?? "");
  }, ["code"]);
  const resend = useSubmit(async () => {
    const { data } = await api.POST("/api/resend-code", { body: { email } });
    toast.say(data?.message ?? "");
  });
  return (
    <Entry title="Enter the code" lead={`It was sent to ${email} and is good for a quarter of an hour.`}>
      <EntryForm
        onSubmit={form.onSubmit}
        error={form.error ?? resend.error}
        isBusy={form.isBusy}
        action="Prove the address"
      >
        <TextField
          label="Code"
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          autoFocus
          value={code}
          onChange={setCode}
          error={form.errorAt("code")}
        />
      </EntryForm>
      <Button look="quiet" busy={resend.isBusy} onClick={() => void resend.run()}>
        Send another code
      </Button>
    </Entry>
  );
}
