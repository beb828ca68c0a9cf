// Looks after every system: one collector per process, shared by all who watch.
import { singleton } from "../runtime/singleton";
import { Collector } from "./collector";
import type { Connection } from "./contract";

/** The process's collector. */
export function collector(): Collector {
  return singleton("connections", () => new Collector());
}

/** Every system and its state, as last seen. */
export function connections(): Connection[] {
  return collector().all();
}

/** Looks at one system now. Throws NOT_FOUND. */
export function testConnection(kind: string, name: string): Promise<Connection> {
  return collector().test(kind, name);
}

/** For lib/runtime/services.ts. */
export const connectionsService = {
  name: "connections",
  async start(): Promise<() => Promise<void>> {
    return collector().start();
  },
};
