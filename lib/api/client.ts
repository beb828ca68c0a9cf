// The browser's way to the server: the contract as typed calls, and the same as TanStack Query options.
import { createORPCClient, ORPCError } from "@orpc/client";
import { RPCLink } from "@orpc/client/fetch";
import type { ContractRouterClient } from "@orpc/contract";
import { createTanstackQueryUtils } from "@orpc/tanstack-query";
import type { contract } from "./contract";
import type { FailureData } from "./failure";

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

export type Failure = FailureData & {
  readonly code: string;
  readonly message: string;
  readonly status: number;
};

/** What a failed call says: `code` under `errors.` in messages, `problem` under `problems.`, at `field`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ORPCError) {
    const data: unknown = error.data;
    const detail: FailureData = typeof data === "object" && data !== null ? data : {};
    return { ...detail, code: error.code, message: error.message, status: error.status };
  }
  // fetch rejects with a TypeError when the server cannot be reached at all.
  return { code: "UNREACHABLE", message: error instanceof Error ? error.message : String(error), status: 0 };
}
