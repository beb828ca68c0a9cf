// One look at a Varnish node: does it serve, what does its VCL understand, and is its CLI open to us.
import { AppError, tellProblem, toAppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { singleton } from "../../runtime/singleton";
import { exchange } from "../exchange";
import { type Metrics, readMetrics, sumOf } from "../exposition";
import { look } from "../look";
import type { Probed } from "../system";
import { backendList, banList, status, type VarnishAdmin, version } from "./cli";
import { peek, type VarnishNode } from "./http";

/** A node as its health is watched. */
export type WatchedNode = VarnishNode &
  VarnishAdmin & {
    /** Of prometheus_varnish_exporter: the node's counters, which no other door tells. */
    readonly metrics?: string | undefined;
  };

const counted = {
  requests: "varnish_main_client_req",
  hits: "varnish_main_cache_hit",
  misses: "varnish_main_cache_miss",
  backendRequests: "varnish_main_backend_req",
  nuked: "varnish_main_n_lru_nuked",
} as const;

/** An exporter's page. Throws AppError. */
export async function metricsOf(node: WatchedNode, metrics: string): Promise<Metrics> {
  const { origin, pathname, search } = new URL(metrics);
  const { status, body } = await exchange({ base: origin, path: pathname + search, timeoutMs: node.timeout });
  const read = status === 200 ? readMetrics(Buffer.from(body).toString("utf8")) : null;
  if (read === null || !read.has(counted.requests))
    throw new AppError("BAD_ANSWER", `${origin} is no exporter of Varnish.`, {
      problem: "varnish.noMetrics",
      params: { system: node.name, address: origin },
    });
  return read;
}

const failedFetches = (read: Metrics) => sumOf(read, "varnish_main_fetch", { type: "failed" });

/** What tells that a VCL does harm: counts since the child's start, and how long ago that was (`uptime`, s). Throws AppError. */
export async function vclCounters(node: WatchedNode, metrics: string) {
  const read = await metricsOf(node, metrics);
  return {
    uptime: sumOf(read, "varnish_main_uptime") ?? 0,
    requests: sumOf(read, counted.requests) ?? 0,
    hits: sumOf(read, counted.hits) ?? 0,
    misses: sumOf(read, counted.misses) ?? 0,
    vclFail: sumOf(read, "varnish_main_vcl_fail") ?? 0,
    fetchFailed: failedFetches(read) ?? 0,
  };
}

/** The counters of MAIN by an exporter's page. Throws AppError. */
async function countersOf(node: WatchedNode, metrics: string): Promise<Record<string, number>> {
  const read = await metricsOf(node, metrics);
  const failed = failedFetches(read);
  return Object.fromEntries(
    [
      ...Object.entries(counted).map(([name, metric]) => [name, sumOf(read, metric)] as const),
      ["failed", failed] as const,
    ].filter((entry): entry is [string, number] => entry[1] !== null),
  );
}

/** Facts: vcl ("sluice", "plain"), boot, admin ("ready", "not set", or why not), child, bans. */
export const probe = (node: WatchedNode): Promise<Probed> =>
  look(`varnish:${node.name}`, async () => {
    const facts: Record<string, string | number> = {};
    const concerns: ToldProblem[] = [];
    let counters: Record<string, number> = {};
    if (node.metrics !== undefined) {
      try {
        counters = await countersOf(node, node.metrics);
      } catch (error) {
        // The node serves, whatever its exporter does.
        concerns.push(tellProblem(error, { problem: "http.failed", params: { address: node.metrics } }));
      }
    }
    const seen = await peek(node, "sluice-probe.invalid", "/");
    if (seen.state === "unsupported") {
      // PEEK told nothing: that it answers at all is what counts.
      await exchange({ base: node.url, path: "/", method: "HEAD", timeoutMs: node.timeout });
      facts.vcl = "plain";
    } else {
      facts.vcl = "sluice";
      if (seen.boot !== null) facts.boot = seen.boot;
    }
    // PEEK is answered by the node itself, a plain HEAD perhaps by what is behind it.
    const alone = facts.vcl === "sluice";
    if ((node.admin ?? node.admin_listen) === undefined)
      return { version: null, facts: { ...facts, admin: "not set" }, alone, counters, concerns };
    const told = await soon(node, async () => ({
      version: await version(node),
      child: await status(node),
      bans: (await banList(node)).length,
      sick: (await backendList(node)).filter(({ healthy }) => !healthy).map(({ name }) => name),
    })).catch((error: unknown) => toAppError(error));
    // Purging goes over HTTP: a node without its CLI is up.
    if (told === null || told instanceof AppError) {
      const why: Record<string, string> =
        told === null ? { admin: "busy" } : { admin: told.code, adminError: told.message };
      return { version: null, facts: { ...facts, ...why }, alone, counters, concerns };
    }
    if (told.sick.length > 0)
      concerns.push({
        problem: "varnish.sick",
        params: { system: node.name, backends: told.sick.join(", ").slice(0, 200) },
      });
    const { child, bans } = told;
    return {
      version: told.version,
      facts: { ...facts, child, bans, admin: "ready" },
      alone,
      counters,
      concerns,
    };
  });

const asking = () => singleton("systems.varnish.asking", () => new Map<string, Promise<unknown>>());

/** What the CLI tells, or null while it is busy: a compile keeps it so for seconds, and a node is not down for that. */
async function soon<T>(node: WatchedNode, ask: () => Promise<T>): Promise<T | null> {
  if (asking().has(node.name)) return null;
  const asked = ask();
  const ended = asked.then(
    () => {},
    () => {},
  );
  asking().set(node.name, ended);
  void ended.then(() => asking().delete(node.name));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), node.timeout);
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
