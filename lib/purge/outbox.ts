// Gives nodes that come back what they are owed; a node that restarted empty is owed nothing.
import { setMaxListeners } from "node:events";
import { engine } from "@/lib/changes/engine";
import type { LogEntry } from "@/lib/changes/record";
import { config } from "@/lib/config/load";
import type { Config } from "@/lib/config/schema";
import { db } from "@/lib/db/client";
import { type AppError, toAppError } from "@/lib/errors/app-error";
import { publish } from "@/lib/live/hub";
import { log } from "@/lib/runtime/log";
import { purge as purgeCloudflare } from "@/lib/systems/cloudflare/purge";
import { peek } from "@/lib/systems/varnish/http";
import { type PurgeProof, purgeProof } from "./contract";
import { knownPages } from "./find";
import { itemsOf } from "./items";
import { nodeAnswered, nodeFailed } from "./nodes";
import { cloudflareTargets, type Item, sizeOfOrder, type VarnishOrder } from "./operations";
import { orderNode } from "./order-node";
import { onOutbox, outboxState, tellOutbox } from "./owed";
import { refreshSoft } from "./refresh";
import { forgetRun, layerState, newRun } from "./run-state";
import { cachesOf, type VarnishCache } from "./stack";
import { proveAgain } from "./verify";

const firstTryMs = 1000;
const longestTryMs = 30_000;
const rowsAtOnce = 20;
const publishMs = 500;
const longestRunMs = 600_000;
const mostSampled = 5;

type Row = {
  readonly id: number;
  readonly changeId: number;
  readonly operations: string;
  readonly count: number;
  readonly boot: string | null;
};
type Told = {
  replayed: number;
  skipped: number;
  refused: number;
  error: AppError | null;
  /** What came of the edges' second purge: the first failure, null when all took it, undefined when none was due. */
  edge?: { readonly zone: string; readonly error: AppError } | null;
};

/** Looks whether the node answers, and which cache it is. Null: it does not. A node that cannot be peeked is taken for the same. */
async function bootOfNode(node: VarnishCache): Promise<{ boot: string | null } | AppError> {
  try {
    const seen = await peek(node, "sluice-outbox.invalid", "/");
    return { boot: seen.state === "unsupported" ? null : seen.boot };
  } catch (error) {
    const failed = toAppError(error);
    // It answers, but not to PEEK: the purges tell the rest.
    return failed.code === "REFUSED" ? { boot: null } : failed;
  }
}

/**
 * Between its return and its purges the node gave out old pages, and the edge may keep one for its whole time: the edge is purged
 * once more. Cloudflare's own failures are retried by its adapter; what is left of them is told in the change.
 */
async function purgeEdges(
  node: VarnishCache,
  changeId: number,
  signal: AbortSignal,
): Promise<{ zone: string; error: AppError } | null> {
  const settings = config();
  const items = await itemsOf(changeId);
  for (const { part, zone } of edgesOf(settings, node, items)) {
    await refreshSoft(part, (name) => name !== node.name, signal);
    for (const { soft, target } of cloudflareTargets(part.site, part.items)) {
      const outcome = await purgeCloudflare(zone, target, { soft, signal });
      if (!outcome.ok) return { zone: zone.name, error: outcome.error };
    }
  }
  return null;
}

/** The sites that have this node behind Cloudflare, each with its part of the items. */
function edgesOf(settings: Config, node: VarnishCache, items: readonly Item[]) {
  return settings.sites.flatMap((site) => {
    const caches = cachesOf(settings, site);
    const own = items.filter((item) => item.site === site.name);
    const zone = caches.cloudflare;
    return zone && own.length > 0 && caches.varnish.some(({ name }) => name === node.name)
      ? [{ part: { site, caches, items: own }, zone }]
      : [];
  });
}

/** Replays or skips a node's rows, oldest first. Tells whether all are gone. Rows are removed only once they are done with. */
async function replay(node: VarnishCache, signal: AbortSignal): Promise<boolean> {
  const answered = await bootOfNode(node);
  if (!("boot" in answered)) {
    nodeFailed(node.name);
    await db().outbox.updateMany({
      where: { node: node.name },
      data: { attempts: { increment: 1 }, lastError: answered.message.slice(0, 500) },
    });
    return false;
  }
  nodeAnswered(node.name, answered.boot);
  const told = new Map<number, Told>();
  const of = (changeId: number): Told => {
    const known = told.get(changeId) ?? { replayed: 0, skipped: 0, refused: 0, error: null };
    told.set(changeId, known);
    return known;
  };
  let whole = true;
  for (;;) {
    if (signal.aborted) return false;
    // New purges for this node go to it directly meanwhile: a purge may come twice and in any order, it only ever removes.
    const rows: Row[] = await db().outbox.findMany({
      where: { node: node.name },
      orderBy: { id: "asc" },
      take: rowsAtOnce,
    });
    if (rows.length === 0) break;
    for (const row of rows) {
      const state = of(row.changeId);
      if (row.boot !== null && answered.boot !== null && row.boot !== answered.boot) {
        // Another boot id: the cache was lost, and with it everything that had to go.
        state.skipped += row.count;
      } else {
        const result = await orderNode(node, JSON.parse(row.operations) as VarnishOrder[], signal);
        if (signal.aborted) return false;
        if (result.owed.length > 0) {
          // Gone again in the middle: what it took need not be kept.
          await db().outbox.update({
            where: { id: row.id },
            data: {
              operations: JSON.stringify(result.owed),
              count: result.owed.reduce((sum, order) => sum + sizeOfOrder(order), 0),
              attempts: { increment: 1 },
              lastError: result.error?.message.slice(0, 500) ?? null,
            },
          });
          state.replayed += result.done;
          whole = false;
          break;
        }
        state.replayed += result.done;
        state.refused += result.refused;
        state.error ??= result.error;
        // Before the row is gone, so that a crash between the two loses neither.
        if ((await db().outbox.count({ where: { changeId: row.changeId, node: node.name } })) === 1) {
          state.edge = await purgeEdges(node, row.changeId, signal);
          if (signal.aborted) return false;
        }
      }
      await db().outbox.delete({ where: { id: row.id } });
    }
    tellOutbox();
    if (!whole) break;
  }
  for (const [changeId, state] of told) void settle(node, changeId, state, signal);
  return whole;
}

/** Writes into the change what became of the purges that waited, with a new look at the node. */
async function settle(node: VarnishCache, changeId: number, told: Told, signal: AbortSignal): Promise<void> {
  const left = await db().outbox.count({ where: { changeId, node: node.name } });
  const entries: LogEntry[] = [];
  const note = (level: LogEntry["level"], message: string, params: Record<string, string | number>) =>
    entries.push({ level, message, params });
  const { replayed, skipped, refused, edge } = told;
  if (replayed > 0) note("info", "purge.replayed", { node: node.name, count: replayed });
  if (skipped > 0) note("info", "purge.skippedEmpty", { node: node.name, count: skipped });
  if (refused > 0)
    note("error", "purge.replayRefused", {
      node: node.name,
      count: refused,
      says: told.error?.message.slice(0, 300) ?? "",
    });
  if (edge) note("error", "purge.layerFailed", { system: edge.zone, says: edge.error.message.slice(0, 300) });
  try {
    // A change that still runs writes its own proof at its end: this one comes after it.
    await engine().wait(changeId, longestRunMs);
    if (signal.aborted) return;
    const stored = await db().change.findUnique({
      where: { id: changeId },
      select: { evidence: true, createdAt: true, state: true },
    });
    const read = stored?.evidence ? purgeProof.safeParse(JSON.parse(stored.evidence)) : null;
    if (!read?.success || left > 0) {
      await engine().amend(changeId, { log: entries });
      return;
    }
    const proof = await withNode(
      read.data,
      node,
      changeId,
      stored?.createdAt.getTime() ?? Date.now(),
      told,
      signal,
    );
    await engine().amend(changeId, { outcome: proof.verdict, evidence: proof, log: entries });
  } catch (error) {
    log.error({ err: error, changeId, node: node.name }, "a replayed purge could not be noted in its change");
  }
}

async function withNode(
  proof: PurgeProof,
  node: VarnishCache,
  changeId: number,
  startedAt: number,
  told: Told,
  signal: AbortSignal,
): Promise<PurgeProof> {
  // A run of its own: that of the change is over.
  const run = newRun(-changeId, startedAt);
  forgetRun(-changeId);
  const state = layerState(run, "varnish", node.name);
  const old = proof.layers.find((layer) => layer.layer === "varnish" && layer.system === node.name);
  const now = Date.now() - startedAt;
  state.purged = (old?.purged ?? 0) + told.replayed + told.skipped;
  state.failed = told.refused;
  state.error = told.error;
  state.spans.push({ what: "again", from: now, to: now });
  const items = await itemsOf(changeId);
  if (told.edge !== undefined) {
    for (const { zone } of edgesOf(config(), node, items)) {
      const edge = layerState(run, "cloudflare", zone.name);
      const before = proof.layers.find((layer) => layer.layer === "cloudflare" && layer.system === zone.name);
      edge.purged = before?.purged ?? 0;
      edge.failed = told.edge?.zone === zone.name ? Math.max(1, edge.purged) : 0;
      edge.error = told.edge?.error ?? null;
      // Good is what was stored since the purge itself: the edge may have it from a node that was never away.
      edge.spans.push(...(before?.spans.filter(({ what }) => what !== "verify") ?? []));
    }
  }
  for (const site of config().sites) {
    // Tags and areas name no page: a few of the sitemap stand for them.
    if (!items.some((item) => item.site === site.name && item.type !== "url")) continue;
    const pages = (await knownPages(site)).slice(0, mostSampled);
    run.sample.push(...pages.map(({ host, key }) => ({ site: site.name, host, key })));
  }
  const again = await proveAgain(config(), items, run, signal);
  const layers = proof.layers.map((one) => {
    const fixed = again.find((layer) => layer.layer === one.layer && layer.system === one.system);
    if (!fixed) return one;
    const why = [
      ...(told.skipped > 0 ? [{ key: "restartedEmpty", params: { count: told.skipped } }] : []),
      ...(told.replayed > 0 ? [{ key: "replayed", params: { count: told.replayed } }] : []),
    ];
    return {
      ...fixed,
      before: one.before,
      spans: one.layer === "cloudflare" ? fixed.spans : [...one.spans, ...fixed.spans],
      why: [...(one.layer === "varnish" ? why : []), ...fixed.why],
    };
  });
  const verdicts = layers.map((one) => one.verdict);
  const verdict = verdicts.includes("stale") ? "stale" : verdicts.includes("unknown") ? "unknown" : "fresh";
  return { ...proof, layers, verdict, freshAfterMs: verdict === "fresh" ? Date.now() - startedAt : null };
}

/** Watches every node that is owed something: at first each second, then less often, up to every 30 s. */
export function startOutbox(): () => Promise<void> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const wait = new Map<string, { at: number; ms: number }>();
  let working: Promise<void> | null = null;
  let told: NodeJS.Timeout | undefined;

  const tick = async () => {
    const owed = await db().outbox.groupBy({ by: ["node"] });
    const names = new Set(owed.map(({ node }) => node));
    for (const name of wait.keys()) if (!names.has(name)) wait.delete(name);
    await Promise.all(
      [...names].map(async (name) => {
        const node = config().systems.varnish.find((one) => one.name === name);
        const next = wait.get(name) ?? { at: 0, ms: firstTryMs };
        if (!node || Date.now() < next.at) return;
        const whole = await replay(node, stop.signal);
        if (whole) wait.delete(name);
        else wait.set(name, { at: Date.now() + next.ms, ms: Math.min(longestTryMs, next.ms * 1.5) });
      }),
    );
  };
  const run = () => {
    if (working || stop.signal.aborted) return;
    working = tick()
      .catch((error: unknown) => log.error({ err: error }, "the outbox could not be worked on"))
      .finally(() => {
        working = null;
      });
  };
  const timer = setInterval(run, 250);
  const tell = () => {
    told ??= setTimeout(() => {
      told = undefined;
      void outboxState()
        .then((state) => publish("outbox", state))
        .catch(() => {});
    }, publishMs);
  };
  const forget = onOutbox(tell);
  tell();
  return async () => {
    stop.abort();
    clearInterval(timer);
    clearTimeout(told);
    forget();
    await working;
  };
}
