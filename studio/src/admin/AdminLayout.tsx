// The administration: its list, and the page that is shown.
import { Navigate } from "react-router";

import { useSession } from "../session/session";
import { EmptyState } from "../ui/Note";
import { Page } from "../ui/Page";
import { SectionLayout } from "../ui/SectionLayout";
import { sectionsFor } from "./sections";

export default function AdminLayout() {
  const { beyond } = useSession();
  return <SectionLayout label="Administration" home="/admin" links={sectionsFor(beyond)} />;
}

/** The first page that is open. */
export function FirstAdmin() {
  const { beyond } = useSession();
  const [first] = sectionsFor(beyond);
  if (first) return <Navigate replace to={first.to} />;
  return (
    <Page title="Admin">
      <EmptyState title="There is nothing here that you may see." />
    </Page>
  );
}
