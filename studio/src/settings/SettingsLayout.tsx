// The settings: their list, and the one that is shown.
import { Navigate } from "react-router";

import { useSession } from "../session/session";
import { EmptyState } from "../ui/Note";
import { Page } from "../ui/Page";
import { SectionLayout } from "../ui/SectionLayout";
import { sectionsOf } from "./sections";

export default function SettingsLayout() {
  return <SectionLayout label="Settings" home="/settings" links={sectionsOf(useSession())} />;
}

/** The first of the settings that is open. */
export function FirstSetting() {
  const [first] = sectionsOf(useSession());
  if (first) return <Navigate replace to={first.to} />;
  return (
    <Page title="Settings">
      <EmptyState title="There is nothing here that you may see." />
    </Page>
  );
}
