// One thing done by a button in a list: says when it went wrong, and has the lists read again that it changed.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { toast } from "../ui/Toast";
import type { paths } from "./schema";

/** Has everything read again that came from these addresses. */
export function useReread() {
  const client = useQueryClient();
  return (...addresses: (keyof paths)[]) =>
    Promise.all(addresses.map((address) => client.invalidateQueries({ queryKey: ["get", address] })));
}

export function useAct(...addresses: (keyof paths)[]) {
  const [isBusy, setBusy] = useState(false);
  const reread = useReread();
  const act = async (action: () => Promise<unknown>, done?: string) => {
    setBusy(true);
    try {
      await action();
      if (done) toast.done(done);
      await reread(...addresses);
    } catch (error) {
      toast.error(error);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, act };
}
