// Which services of the runtime run, and why one does not: apart from what starts them, so that those who show it can.
import type { AppError } from "../errors/app-error";
import { singleton } from "./singleton";

export type ServiceState = {
  readonly name: string;
  readonly state: "starting" | "running" | "failed" | "stopped";
  /** Why it failed, in words that say what to do. */
  readonly error: AppError | null;
};

const kept = () =>
  singleton("runtime.services", () => ({
    states: new Map<string, ServiceState>(),
    listeners: new Set<() => void>(),
  }));

/** Each service and whether it runs. */
export const serviceStates = (): ServiceState[] => [...kept().states.values()];

export function setServiceState(state: ServiceState): void {
  const { states, listeners } = kept();
  states.set(state.name, state);
  for (const listener of listeners) listener();
}

/** Calls `listener` after each change; returns the way to stop. */
export function onServiceState(listener: () => void): () => void {
  const { listeners } = kept();
  listeners.add(listener);
  return () => listeners.delete(listener);
}
