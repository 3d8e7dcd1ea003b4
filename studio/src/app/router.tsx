// Every address of the studio and the page behind it. Pages are loaded when they are first shown.
import { createBrowserRouter, Outlet, type RouteObject } from "react-router";

import { RequireSession } from "../session/RequireSession";
import { Loading } from "../ui/Spinner";
import { Fault, NotFound } from "./ErrorPage";
import { Home } from "./Home";
import { Shell } from "./Shell";

const page = (load: () => Promise<{ default: React.ComponentType }>): Pick<RouteObject, "lazy"> => ({
  lazy: async () => ({ Component: (await load()).default }),
});

const inside: RouteObject[] = [
  { index: true, Component: Home },
  { path: "workflows", ...page(() => import("../workflows/WorkflowsPage")) },
  { path: "workflows/templates", ...page(() => import("../workflows/TemplatesPage")) },
  { path: "workflows/:id", ...page(() => import("../builder/BuilderPage")) },
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
