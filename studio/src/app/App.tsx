// What stands around all pages. Must not know any of them.
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router";

import { TipProvider } from "../ui/Tip";
import { Toasts } from "../ui/Toast";
import { queryClient } from "./queries";
import { router } from "./router";
import { useTheme } from "./theme";

export function App() {
  const theme = useTheme((state) => state.shown);
  return (
    <QueryClientProvider client={queryClient}>
      <TipProvider>
        <RouterProvider router={router} />
        <Toasts theme={theme} />
      </TipProvider>
    </QueryClientProvider>
  );
}
