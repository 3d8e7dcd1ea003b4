// The frame of the pages before the door, and what they share. Must not know how people come in.
import type { FormEventHandler, ReactNode } from "react";
import { Link } from "react-router";

import { $api } from "../api/client";
import { useBrand } from "../app/brand";
import { BrandMark } from "../app/BrandMark";
import { ConnectionNote } from "../app/ConnectionNote";
import { ThemeToggle } from "../app/ThemeToggle";
import { Button } from "../ui/Button";
import { ErrorNote } from "../ui/Note";
import { useTitle } from "../ui/title";

export function Entry({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(title);
  const { support_email } = useBrand();
  return (
    <div className="flex min-h-dvh flex-col">
      <ConnectionNote />
      <div className="flex justify-end p-3">
        <ThemeToggle />
      </div>
      <main className="mx-auto flex w-full max-w-sm flex-1 flex-col gap-4 px-4 pb-16 sm:justify-center">
        <BrandMark />
        <div>
          <h1 className="text-xl font-semibold">{title}</h1>
          {lead && <div className="mt-1 text-sm text-muted">{lead}</div>}
        </div>
        {children}
        {support_email && (
          <p className="text-sm text-muted">
            Help:{" "}
            <a href={`mailto:${support_email}`} className="underline underline-offset-2">
              {support_email}
            </a>
          </p>
        )}
      </main>
    </div>
  );
}

type EntryFormProps = {
  onSubmit: FormEventHandler;
  error: unknown;
  isBusy: boolean;
  action: string;
  children: ReactNode;
};

export const EntryForm = ({ onSubmit, error, isBusy, action, children }: EntryFormProps) => (
  <form onSubmit={onSubmit} className="flex flex-col gap-3">
    {children}
    <ErrorNote error={error} />
    <Button type="submit" look="primary" busy={isBusy} className="h-9">
      {action}
    </Button>
  </form>
);

export const EntryLink = ({ to, children }: { to: string; children: ReactNode }) => (
  <Link to={to} className="text-text underline underline-offset-2">
    {children}
  </Link>
);

/** How people may come in here. */
export const useSignInOptions = () =>
  $api.useQuery("get", "/api/sign-in-options", {}, { staleTime: Infinity });
