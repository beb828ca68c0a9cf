// One look at a Varnish node: does it serve, what does its VCL understand, and is its CLI open to us.
import { AppError, tellProblem, toAppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { exchange } from "../exchange";
import { readMetrics, sumOf } from "../exposition";
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

/** The counters of MAIN by an exporter's page. Throws AppError. */
async function countersOf(node: WatchedNode, metrics: string): Promise<Record<string, number>> {
  const { origin, pathname, search } = new URL(metrics);
  const { status, body } = await exchange({ base: origin, path: pathname + search, timeoutMs: node.timeout });
  const read = status === 200 ? readMetrics(Buffer.from(body).toString("utf8")) : null;
  if (read === null || !read.has(counted.requests))
    throw new AppError("BAD_ANSWER", `${origin} is no exporter of Varnish.`, {
      problem: "varnish.noMetrics",
      params: { system: node.name, address: origin },
    });
  const failed = sumOf(read, "varnish_main_fetch", { type: "failed" });
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
    if (!node.admin)
      return { version: null, facts: { ...facts, admin: "not set" }, alone, counters, concerns };
    try {
      const told = await version(node);
      facts.child = await status(node);
      facts.bans = (await banList(node)).length;
      const sick = (await backendList(node)).filter(({ healthy }) => !healthy);
      if (sick.length > 0)
        concerns.push({
          problem: "varnish.sick",
          params: {
            system: node.name,
            backends: sick
              .map(({ name }) => name)
              .join(", ")
              .slice(0, 200),
          },
        });
      return { version: told, facts: { ...facts, admin: "ready" }, alone, counters, concerns };
    } catch (error) {
      // Purging goes over HTTP: a node without its CLI is up.
      const { code, message } = toAppError(error);
      return {
        version: null,
        facts: { ...facts, admin: code, adminError: message },
        alone,
        counters,
        concerns,
      };
    }
  });
