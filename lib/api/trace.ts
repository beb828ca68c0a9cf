// One address at every layer of its site, over RPC and REST.
import { traceUrl } from "../trace/service";
import { os } from "./base";

export const trace = os.routing.trace.handler(({ input, context, signal }) =>
  traceUrl(input, context.actor.sites, signal),
);
