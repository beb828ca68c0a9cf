// The collectors of all connections as a service of the runtime.
import type { Service } from "../runtime/services";
import { connections } from "./service";

export const connectionsService: Service = {
  name: "connections",
  start: async () => connections().start(),
};
