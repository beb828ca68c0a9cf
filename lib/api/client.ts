// The browser's way to the server: the contract as typed calls, and the same as TanStack Query options.
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/fetch";
import type { ContractRouterClient } from "@orpc/contract";
import { createTanstackQueryUtils } from "@orpc/tanstack-query";
import type { contract } from "./contract";

/** Where the typed calls are answered. */
export const rpcPath = "/api/rpc";

const link = new RPCLink({
  // Read at the call: this module is also loaded where pages are rendered on the server, which calls nothing.
  url: () => `${globalThis.location.origin}${rpcPath}`,
  fetch: (request, init) => globalThis.fetch(request, { ...init, credentials: "same-origin" }),
});

export type ApiClient = ContractRouterClient<typeof contract>;
/** Every procedure of the contract as a promise (`api.live.stream` as an async iterable). */
export const api: ApiClient = createORPCClient(link);
/** `query.changes.list.queryOptions({ input })` and its kind. */
export const query = createTanstackQueryUtils(api);
