// How components reach the open workflow.
import { createContext, useContext } from "react";
import { useStore } from "zustand";

import type { Builder, BuilderState } from "./store";

export const BuilderContext = createContext<Builder | null>(null);

export function useBuilder(): Builder {
  const builder = useContext(BuilderContext);
  if (!builder) throw new Error("this part needs <BuilderContext>");
  return builder;
}

export const useBuilderState = <T>(read: (state: BuilderState) => T): T => useStore(useBuilder(), read);

export const useDocument = () => useBuilderState((state) => state.history.present);
