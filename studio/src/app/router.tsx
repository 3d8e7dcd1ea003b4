// Every address of the studio and the page behind it. Pages are loaded when they are first shown.
import { createBrowserRouter, Outlet, type RouteObject } from "react-router";

import { RequireSession } from "../session/RequireSession";
import { RequireWorkspace } from "../session/RequireWorkspace";
import { Loading } from "../ui/Spinner";
import { Fault, NotFound } from "./ErrorPage";
import { Home } from "./Home";
import { Shell } from "./Shell";

const page = (load: () => Promise<{ default: React.ComponentType }>): Pick<RouteObject, "lazy"> => ({
  lazy: async () => ({ Component: (await load()).default }),
});

const inside: RouteObject[] = [
  { index: true, Component: Home },
  {
    Component: RequireWorkspace,
    children: [
      { path: "workflows", ...page(() => import("../workflows/WorkflowsPage")) },
      { path: "workflows/templates", ...page(() => import("../workflows/TemplatesPage")) },
      { path: "workflows/:id", ...page(() => import("../builder/BuilderPage")) },
      { path: "runs", ...page(() => import("../runs/RunsPage")) },
      { path: "runs/:id", ...page(() => import("../runs/RunPage")) },
      { path: "approvals", ...page(() => import("../approvals/ApprovalsPage")) },
    ],
  },
  {
    path: "settings",
    ...page(() => import("../settings/SettingsLayout")),
    children: [
      {
        index: true,
        lazy: async () => ({ Component: (await import("../settings/SettingsLayout")).FirstSetting }),
      },
      { path: "profile", ...page(() => import("../settings/ProfilePage")) },
      { path: "workspace", ...page(() => import("../settings/WorkspacePage")) },
      { path: "members", ...page(() => import("../settings/MembersPage")) },
      { path: "numbers", ...page(() => import("../settings/NumbersPage")) },
      { path: "credentials", ...page(() => import("../settings/CredentialsPage")) },
      { path: "keys", ...page(() => import("../settings/KeysPage")) },
      { path: "personal-data", ...page(() => import("../settings/PersonalDataPage")) },
      { path: "branding", ...page(() => import("../settings/BrandingPage")) },
      { path: "plan", ...page(() => import("../settings/PlanPage")) },
      { path: "usage", ...page(() => import("../settings/UsagePage")) },
      { path: "limits", ...page(() => import("../settings/LimitsPage")) },
      { path: "audit", ...page(() => import("../settings/AuditPage")) },
    ],
  },
  {
    path: "admin",
    ...page(() => import("../admin/AdminLayout")),
    children: [
      { index: true, lazy: async () => ({ Component: (await import("../admin/AdminLayout")).FirstAdmin }) },
      { path: "clients", ...page(() => import("../admin/ClientsPage")) },
      { path: "clients/:id", ...page(() => import("../admin/ClientPage")) },
      { path: "resellers", ...page(() => import("../admin/ResellersPage")) },
      { path: "people", ...page(() => import("../admin/PeoplePage")) },
      { path: "team", ...page(() => import("../admin/TeamPage")) },
      { path: "plans", ...page(() => import("../admin/PlansPage")) },
      { path: "credits", ...page(() => import("../admin/CreditsPage")) },
      { path: "branding", ...page(() => import("../admin/BrandingPage")) },
      { path: "limits", ...page(() => import("../admin/PlatformLimitsPage")) },
      { path: "impersonations", ...page(() => import("../admin/ImpersonationsPage")) },
      { path: "audit", ...page(() => import("../admin/PlatformAuditPage")) },
    ],
  },
  { path: "*", Component: NotFound },
];

export const router = createBrowserRouter([
  {
    Component: Outlet,
    ErrorBoundary: Fault,
    HydrateFallback: Loading,
    children: [
      { path: "sign-in", ...page(() => import("../session/SignInPage")) },
      { path: "sign-up", ...page(() => import("../session/SignUpPage")) },
      { path: "forgot", ...page(() => import("../session/ForgotPage")) },
      { path: "invitation", ...page(() => import("../session/InvitationPage")) },
      {
        Component: RequireSession,
        children: [{ Component: Shell, children: [{ ErrorBoundary: Fault, children: inside }] }],
      },
    ],
  },
]);
