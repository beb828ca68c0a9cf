// Traefik by its API and ping (doc.traefik.io/traefik/operations/api), its counters by its own page of metrics.
import * as z from "zod";
import { AppError, tellProblem } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { maskedText } from "../../errors/mask";
import { exchange } from "../exchange";
import { type Metric, type Metrics, readMetrics } from "../exposition";
import { get, type JsonApi, notProduct, read } from "../json-api";
import { look } from "../look";
import type { Probed } from "../system";

/** One server, as sluice.yaml has it; `url` is where its API and ping listen. */
export type TraefikServer = JsonApi & {
  /** Its page of metrics. */
  readonly metrics?: string | undefined;
  /** Days before a certificate's end that want a look. */
  readonly tls_days: number;
};

const product = "Traefik";
/** More services than a page holds are told by the overview's count of errors all the same. */
const perPage = 500;
const dayS = 86_400;

const count = z.object({ total: z.number(), warnings: z.number(), errors: z.number() });
const overview = z.object({
  http: z.object({ routers: count, services: count, middlewares: count }),
});
const services = z.array(
  z.object({ name: z.string(), serverStatus: z.record(z.string(), z.string()).nullish() }),
);
const version = z.object({ Version: z.string() });

/** A Traefik's page of metrics. Throws AppError. */
export async function metricsOf(server: TraefikServer, address: string): Promise<Metrics> {
  const { origin, pathname, search } = new URL(address);
  const { status, body } = await exchange({
    base: origin,
    path: pathname + search,
    timeoutMs: server.timeout,
  });
  const metrics = status === 200 ? readMetrics(Buffer.from(body).toString("utf8")) : null;
  if (metrics === null || ![...metrics.keys()].some((name) => name.startsWith("traefik_")))
    throw new AppError("BAD_ANSWER", `${origin} has no metrics of Traefik.`, {
      problem: "traefik.noMetrics",
      params: { system: server.name, address: origin },
    });
  return metrics;
}

const total = (metrics: readonly Metric[]): number => metrics.reduce((sum, { value }) => sum + value, 0);

/** Days until the first certificate ends; null where Traefik has none. */
function firstEnd(metrics: Metrics): number | null {
  const ends = (metrics.get("traefik_tls_certs_not_after") ?? []).map(({ value }) => value);
  return ends.length === 0 ? null : Math.floor((Math.min(...ends) - Date.now() / 1000) / dayS);
}

/** Facts: routers, services, middlewares, days (of the first certificate to end). */
export const probe = (server: TraefikServer): Promise<Probed> =>
  look(`traefik:${server.name}`, async () => {
    const { name: system } = server;
    // 404: ping is not switched on, or is on another entry point. Anything else is Traefik's own "not now".
    const ping = await get(server, "/ping");
    if (ping.status !== 200 && ping.status !== 404) throw notProduct(server, product, ping.status);

    const { http } = await read(server, product, "/api/overview", overview);
    const [list, { Version }] = await Promise.all([
      read(server, product, `/api/http/services?per_page=${perPage}`, services),
      read(server, product, "/api/version", version),
    ]);
    const concerns: ToldProblem[] = [];
    const errors = http.routers.errors + http.services.errors + http.middlewares.errors;
    if (errors > 0) concerns.push({ problem: "traefik.errors", params: { system, errors } });
    const sick = list.flatMap(({ serverStatus }) =>
      Object.entries(serverStatus ?? {})
        .filter(([, state]) => state !== "UP")
        // An address may hold a password.
        .map(([address]) => maskedText(address)),
    );
    if (sick.length > 0)
      concerns.push({
        problem: "traefik.serverDown",
        params: { system, servers: [...new Set(sick)].join(", ").slice(0, 200) },
      });

    const facts: Record<string, string | number> = {
      routers: http.routers.total,
      services: http.services.total,
      middlewares: http.middlewares.total,
    };
    const counters: Record<string, number> = {};
    if (server.metrics !== undefined) {
      try {
        const metrics = await metricsOf(server, server.metrics);
        // It has no series before the first request.
        const answered = metrics.get("traefik_entrypoint_requests_total") ?? [];
        counters.requests = total(answered);
        counters.failed = total(answered.filter(({ labels }) => labels.code?.startsWith("5")));
        const days = firstEnd(metrics);
        if (days !== null) facts.days = days;
        if (days !== null && days < server.tls_days)
          concerns.push({ problem: "traefik.certificateEnds", params: { system, days } });
      } catch (error) {
        // It routes, whatever its metrics do.
        concerns.push(
          tellProblem(error, { problem: "http.failed", params: { address: new URL(server.metrics).origin } }),
        );
      }
    }
    return { version: Version.replace(/^v/, ""), facts, counters, concerns };
  });
