// The pages for those who run the platform or a reseller, and who sees which. Must not know what they hold.
const sections = [
  { to: "/admin/clients", text: "Clients", permission: "client:read" },
  { to: "/admin/resellers", text: "Resellers", permission: "reseller:read" },
  { to: "/admin/people", text: "People", permission: "person:read" },
  { to: "/admin/team", text: "Team", permission: "team:read" },
  { to: "/admin/plans", text: "Plans and prices", permission: "plan:read" },
  { to: "/admin/credits", text: "Credits", permission: "ledger:read" },
  { to: "/admin/branding", text: "Branding", permission: "branding:read" },
  { to: "/admin/limits", text: "Limits", permission: "limit:read" },
  { to: "/admin/impersonations", text: "Impersonations", permission: "client:impersonate" },
  { to: "/admin/audit", text: "Audit", permission: "audit:read" },
];

export const sectionsFor = (beyond: ReadonlySet<string>) =>
  sections.filter((section) => beyond.has(section.permission));
