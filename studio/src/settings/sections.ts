// The pages of the settings, and who sees which. Must not know what they hold.
import type { Session } from "../session/session";

type Section = { to: string; text: string; isOpen: (session: Session) => boolean };

const inWorkspace =
  (permission: string) =>
  ({ workspace, permissions }: Session) =>
    workspace !== null && permissions.has(permission);

const sections: Section[] = [
  // Who acts in another's place has nothing to do with what is that person's own.
  {
    to: "/settings/profile",
    text: "Profile",
    isOpen: ({ person, impersonator }) => person !== null && impersonator === null,
  },
  { to: "/settings/workspace", text: "Workspace", isOpen: inWorkspace("workspace:read") },
  { to: "/settings/members", text: "Members", isOpen: inWorkspace("member:read") },
  { to: "/settings/numbers", text: "Numbers", isOpen: inWorkspace("number:read") },
  { to: "/settings/credentials", text: "Credentials", isOpen: inWorkspace("credential:read") },
  { to: "/settings/keys", text: "API keys", isOpen: inWorkspace("key:read") },
  {
    to: "/settings/personal-data",
    text: "Personal data",
    isOpen: (session) => inWorkspace("contact:export")(session) || inWorkspace("contact:erase")(session),
  },
  { to: "/settings/branding", text: "Branding", isOpen: inWorkspace("branding:read") },
  { to: "/settings/plan", text: "Plan and wallet", isOpen: inWorkspace("plan:read") },
  { to: "/settings/usage", text: "Usage", isOpen: inWorkspace("usage:read") },
  { to: "/settings/limits", text: "Limits", isOpen: inWorkspace("limit:read") },
  { to: "/settings/audit", text: "Audit", isOpen: inWorkspace("audit:read") },
];

export const sectionsOf = (session: Session) => sections.filter((section) => section.isOpen(session));
