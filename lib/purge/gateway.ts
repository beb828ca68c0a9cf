// The purge gateway: a listener that speaks as Varnish does, so that applications point at Sluice instead of at one node.
import { gaveToken, inNetworks } from "@/lib/auth/callers";
import { engine } from "@/lib/changes/engine";
import type { Actor } from "@/lib/changes/kind";
import { config } from "@/lib/config/load";
import type { Config } from "@/lib/config/schema";
import { AppError, toAppError } from "@/lib/errors/app-error";
import { log } from "@/lib/runtime/log";
import { readAsk } from "./gateway-ask";
import { Busy, Intake } from "./gateway-intake";
import { keepCounts, runningBatches } from "./gateway-kind";
import { listen, type WireAnswer, type WireRequest } from "./http-wire";

/** Batches at work at once; beyond it the window stays open and more asks share a batch. */
const mostBatches = 24;

const actor: Actor = {
  type: "gateway",
  id: null,
  name: "gateway",
  role: "operator",
  sites: null,
  scopes: null,
};

/** By its network, or by `Authorization: Bearer`. */
export function mayAsk(
  request: Pick<WireRequest, "client" | "headers">,
  gateway: Config["gateway"],
): boolean {
  return gaveToken(request.headers, gateway.token) || inNetworks(request.client, gateway.networks);
}

/** "127.0.0.1:3100", "[::]:3100", "*:3100". */
export function readListen(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  const host = text.slice(0, at).replace(/^\[|\]$/g, "");
  return { host: host === "*" || host === "" ? "0.0.0.0" : host, port: Number(text.slice(at + 1)) };
}

async function answer(intake: Intake, request: WireRequest): Promise<WireAnswer> {
  const settings = config();
  if (!mayAsk(request, settings.gateway)) {
    return {
      status: 403,
      text: `${request.client} is in no network of gateway.networks, and gave no valid token.`,
    };
  }
  const asked = readAsk(request, settings.sites);
  if (!asked.ok)
    return {
      status: asked.status,
      text: asked.text,
      ...(asked.status === 405 ? { headers: { Allow: "PURGE, BAN" } } : {}),
    };
  try {
    await intake.take(asked.items, {
      client: request.client,
      agent: (request.headers.get("user-agent") ?? "").slice(0, 200),
      header: asked.header,
    });
    return { status: 200, text: `Accepted: ${asked.items.length}` };
  } catch (error) {
    if (error instanceof Busy)
      return {
        status: 503,
        text: "Too much at once: nothing was accepted, try again.",
        headers: { "Retry-After": "1" },
      };
    const failed = toAppError(error);
    log.error({ err: failed }, "the purge gateway could not keep a purge");
    const full = failed.code === "DISK_FULL";
    return {
      status: full ? 507 : 503,
      text: full ? failed.message : "The database did not take it: nothing was accepted, try again.",
      headers: { "Retry-After": "5" },
    };
  }
}

/** Starts the gateway; resolves with its port and the way to stop it. Throws AppError CONFLICT when the port is taken. */
export async function startGateway(
  options: { readonly listen?: string } = {},
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const intake = new Intake({
    windowMs: () => config().gateway.window,
    room: () => runningBatches() < mostBatches,
    hand: async (from, upTo, counts) => {
      keepCounts(upTo, counts);
      await engine().start({ kind: "purge.gateway", input: { from, upTo }, actor, origin: "gateway" });
    },
  });
  const left = await intake.recover();
  if (left > 0)
    log.warn({ left }, "purges that the gateway had accepted before the last stop are carried out now");
  const where = options.listen ?? config().gateway.listen;
  const { host, port } = readListen(where);
  try {
    const server = await listen(host, port, (request) => answer(intake, request));
    log.info({ listen: where }, "the purge gateway listens");
    return {
      port: server.port,
      async stop() {
        await server.close();
        await intake.stop();
      },
    };
  } catch (error) {
    await intake.stop();
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why =
      code === "EADDRINUSE"
        ? "another program listens there"
        : code === "EADDRNOTAVAIL"
          ? "this machine has no such address"
          : code === "EACCES"
            ? "this user may not listen on that port"
            : String(error);
    throw new AppError(
      "CONFLICT",
      `The purge gateway cannot listen on ${where}: ${why}. Set gateway.listen in sluice.yaml to another address.`,
      {
        problem: "gateway.listen",
        params: { listen: where, code },
        cause: error,
      },
    );
  }
}
