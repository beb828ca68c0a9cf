// Purges a list of objects through the layers of their sites, from the inside out, twice, and leaves for the outbox what no node took.
import { setMaxListeners } from "node:events";
import type { Config } from "@/lib/config/schema";
import { db } from "@/lib/db/client";
import { type AppError, toAppError } from "@/lib/errors/app-error";
import { siteByName } from "@/lib/sites/site";
import { purge as purgeCloudflare } from "@/lib/systems/cloudflare/purge";
import { sizeOf } from "@/lib/systems/cloudflare/target";
import { purgeUrl as purgeNginx } from "@/lib/systems/nginx/http";
import { deleteKeys } from "@/lib/systems/redis/redis";
import { peek } from "@/lib/systems/varnish/http";
import { bootOf, isDown } from "./nodes";
import {
  cloudflareTargets,
  type Item,
  redisKeys,
  sizeOfOrder,
  type VarnishOrder,
  varnishOrders,
} from "./operations";
import { orderNode } from "./order-node";
import { owe } from "./owed";
import { addressesFor, type Part, refreshSoft } from "./refresh";
import { type LayerState, layerState, type RunState, timed } from "./run-state";
import { cachesOf, type VarnishCache } from "./stack";

/** A second pass that comes this soon spares Cloudflare a purge of its own after the first. */
const soonMs = 3000;
const itemsPerChunk = 1000;
const nginxAtOnce = 8;

type Context = {
  readonly changeId: number;
  readonly signal: AbortSignal;
  progress(step: string, done: number, total: number): void;
  log(level: "info" | "warn" | "error", message: string, params?: Record<string, string | number>): void;
};

/** Where a purge that was cut off goes on: everything before `next` of this pass was carried out or is in the outbox. */
export type Checkpoint = {
  readonly pass: 1 | 2;
  readonly next: number;
  /** Counts up to there. */
  readonly layers: readonly Pick<
    LayerState,
    "layer" | "system" | "purged" | "failed" | "waiting" | "removed"
  >[];
};

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ms <= 0 || signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });

/** Items by site, in their order. Items of a site that is no longer configured are left out. */
function bySite(config: Config, items: readonly Item[]): Part[] {
  const parts = new Map<string, Part>();
  for (const item of items) {
    const known = item.site === null ? undefined : parts.get(item.site);
    if (known) known.items.push(item);
    else {
      const site = item.site === null ? undefined : siteByName(config, item.site);
      if (site) parts.set(site.name, { site, caches: cachesOf(config, site), items: [item] });
    }
  }
  return [...parts.values()];
}

const failedFor = (context: Context, state: LayerState, count: number, error: AppError) => {
  state.failed += count;
  if (state.error === null) {
    context.log("error", "purge.layerFailed", {
      layer: state.layer,
      system: state.system,
      code: error.code,
      says: error.message.slice(0, 300),
    });
  }
  state.error ??= error;
};

async function passRedis(run: RunState, context: Context, part: Part, again: boolean): Promise<void> {
  const systems = new Map(part.caches.redis.map((cache) => [cache.system.name, cache.system]));
  await Promise.all(
    [...systems.values()].map(async (system) => {
      const templates = part.caches.redis
        .filter((cache) => cache.system.name === system.name)
        .flatMap((cache) => cache.keys);
      const { keys, patterns } = redisKeys(part.site, templates, part.items);
      const count = keys.length + patterns.length;
      if (count === 0) return;
      const state = layerState(run, "redis", system.name);
      try {
        await timed(run, state, again ? "again" : "purge", async () => {
          let deleted = 0;
          if (keys.length > 0) deleted += (await deleteKeys(system, { keys })).deleted;
          for (const pattern of patterns) deleted += (await deleteKeys(system, { pattern })).deleted;
          if (again) state.caughtAgain += deleted;
          else {
            state.purged += count;
            state.removed = (state.removed ?? 0) + deleted;
          }
          state.purgedAt = Date.now();
        });
      } catch (error) {
        failedFor(context, state, again ? 0 : count, toAppError(error));
      }
    }),
  );
}

/**
 * Nginx knows nothing but addresses: for a tag, prefix or site it is told each one.
 * A copy left there would fill the purged nodes with the old page again.
 */
async function passNginx(run: RunState, context: Context, part: Part, again: boolean): Promise<void> {
  if (part.caches.nginx.length === 0) return;
  const addresses = await addressesFor(part);
  if (addresses.length === 0) return;
  await Promise.all(
    part.caches.nginx.map(async (system) => {
      const state = layerState(run, "nginx", system.name);
      if (run.down.has(`nginx ${system.name}`))
        return failedFor(
          context,
          state,
          again ? 0 : addresses.length,
          state.error ?? toAppError(new Error("down")),
        );
      await timed(run, state, again ? "again" : "purge", async () => {
        let next = 0;
        let dead: AppError | null = null;
        const worker = async () => {
          for (let address = addresses[next++]; address; address = addresses[next++]) {
            if (context.signal.aborted) return;
            if (dead) {
              failedFor(context, state, again ? 0 : 1, dead);
              continue;
            }
            const outcome = await purgeNginx(system, address, context.signal);
            if (outcome.ok) {
              const gone = outcome.count ?? 0;
              if (again) state.caughtAgain += gone;
              else {
                state.purged += 1;
                state.removed = (state.removed ?? 0) + gone;
              }
            } else if (outcome.error.code !== "CANCELLED") {
              if (outcome.error.code === "UNREACHABLE" || outcome.error.code === "TIMEOUT") {
                dead = outcome.error;
                run.down.add(`nginx ${system.name}`);
              }
              failedFor(context, state, again ? 0 : 1, outcome.error);
            }
          }
        };
        await Promise.all(Array.from({ length: nginxAtOnce }, worker));
        state.purgedAt = Date.now();
      });
    }),
  );
}

async function passNode(
  run: RunState,
  context: Context,
  node: VarnishCache,
  orders: readonly VarnishOrder[],
  again: boolean,
): Promise<void> {
  const state = layerState(run, "varnish", node.name);
  const boot = bootOf(node.name);
  const late = async (owed: readonly VarnishOrder[], error: AppError | null) => {
    // In the second pass everything is in the outbox already from the first, unless it was the first to fail.
    await owe(node.name, context.changeId, owed, boot, error);
    if (!run.down.has(node.name))
      context.log("warn", "purge.nodeDown", { node: node.name, code: error?.code ?? "UNREACHABLE" });
    run.down.add(node.name);
    const count = owed.reduce((sum, order) => sum + sizeOfOrder(order), 0);
    state.waiting += count;
    if (again) state.purged = Math.max(0, state.purged - count);
    state.error ??= error;
  };
  if (run.down.has(node.name) && again) return;
  if (run.down.has(node.name) || isDown(node.name)) return late(orders, state.error);
  await timed(run, state, again ? "again" : "purge", async () => {
    const result = await orderNode(node, orders, context.signal);
    state.purgedAt = Date.now();
    if (again) state.caughtAgain += result.removed ?? 0;
    else {
      state.purged += result.done;
      state.removed = result.removed === null ? state.removed : (state.removed ?? 0) + result.removed;
    }
    if (result.refused > 0 && result.error)
      failedFor(context, state, again ? 0 : result.refused, result.error);
    if (result.owed.length > 0) await late(again ? orders : result.owed, result.error);
  });
}

/** One pass over some items: Redis, then Nginx, then every Varnish node at once. Tells when its Varnish part began. */
async function pass(
  run: RunState,
  context: Context,
  parts: readonly Part[],
  again: boolean,
): Promise<number> {
  await Promise.all(parts.map((part) => passRedis(run, context, part, again)));
  await Promise.all(parts.map((part) => passNginx(run, context, part, again)));
  const begun = Date.now();
  const nodes = new Map<string, { node: VarnishCache; orders: VarnishOrder[] }>();
  for (const part of parts) {
    const orders = varnishOrders(part.site, part.items);
    for (const node of part.caches.varnish) {
      const known = nodes.get(node.name);
      if (known) known.orders.push(...orders);
      else nodes.set(node.name, { node, orders: [...orders] });
    }
  }
  await Promise.all(
    [...nodes.values()].map(({ node, orders }) => passNode(run, context, node, orders, again)),
  );
  return begun;
}

const mostLooked = 50;

/** Notes what the nodes stored since the first pass: an old revision there is an answer that was under way, and is caught now. */
async function lookBetween(run: RunState, parts: readonly Part[]): Promise<void> {
  for (const { caches, items } of parts) {
    const pages = items.filter((item) => item.type === "url").slice(0, mostLooked);
    await Promise.all(
      caches.varnish.map(async (node) => {
        for (const { host, value } of run.down.has(node.name) ? [] : pages) {
          try {
            const seen = await peek(node, host, value);
            // One without time to live is what a soft purge left on purpose.
            if (seen.state === "hit" && seen.ttlS > 0 && seen.revision !== null)
              run.between.set(`${node.name} ${host}${value}`, seen.revision);
          } catch {
            return;
          }
        }
      }),
    );
  }
}

async function passCloudflare(
  run: RunState,
  context: Context,
  parts: readonly Part[],
  again: boolean,
): Promise<void> {
  for (const part of parts) {
    if (part.caches.cloudflare) await refreshSoft(part, (name) => run.down.has(name), context.signal);
  }
  for (const part of parts) {
    const zone = part.caches.cloudflare;
    if (!zone) continue;
    const state = layerState(run, "cloudflare", zone.name);
    for (const { soft, target } of cloudflareTargets(part.site, part.items)) {
      if (context.signal.aborted) return;
      const size = sizeOf(target);
      await timed(run, state, again ? "again" : "purge", async () => {
        const outcome = await purgeCloudflare(zone, target, {
          soft,
          signal: context.signal,
          onProgress: (done, total) => context.progress("cloudflare", done, total),
          onWait: (ms, error) => {
            if (error || ms > 500) {
              context.log(error ? "warn" : "info", error ? "purge.cloudflareRetry" : "purge.cloudflareWait", {
                system: zone.name,
                ms: Math.round(ms),
                code: error?.code ?? "",
              });
            }
          },
        });
        if (!again) state.purged += outcome.done;
        if (!outcome.ok && outcome.error.code !== "CANCELLED")
          failedFor(context, state, size - outcome.done, outcome.error);
        state.purgedAt = Date.now();
      });
    }
  }
}

/**
 * Purges `items`. Never throws for a layer that fails: `run` tells. Stops between chunks when the signal aborts.
 * Cloudflare comes last; with a second pass within 3 s only after that, so that the edge cannot refill from a copy that an
 * answer under way left behind.
 */
export async function applyItems(
  config: Config,
  items: readonly Item[],
  run: RunState,
  context: Context,
  resume: { readonly from: Checkpoint | null; readonly save: (checkpoint: Checkpoint) => Promise<void> },
): Promise<void> {
  // Each exchange under way listens to it.
  setMaxListeners(0, context.signal);
  const chunks: Part[][] = [];
  for (let from = 0; from < items.length; from += itemsPerChunk)
    chunks.push(bySite(config, items.slice(from, from + itemsPerChunk)));
  const all = bySite(config, items);
  // Each layer is told of, in order, even when nothing could be sent to it.
  for (const { caches } of all) for (const { system } of caches.redis) layerState(run, "redis", system.name);
  for (const { caches } of all) for (const { name } of caches.nginx) layerState(run, "nginx", name);
  for (const { caches } of all) for (const { name } of caches.varnish) layerState(run, "varnish", name);
  for (const { caches } of all) if (caches.cloudflare) layerState(run, "cloudflare", caches.cloudflare.name);

  const secondPassMs = Math.max(0, ...all.map(({ site }) => site.second_pass));
  const due: number[] = [];
  const start = resume.from ?? { pass: 1, next: 0, layers: [] };
  for (const { layer, system, ...counts } of start.layers)
    Object.assign(layerState(run, layer, system), counts);
  const save = (pass: 1 | 2, next: number) =>
    resume.save({
      pass,
      next,
      layers: run.layers.map(({ layer, system, purged, failed, waiting, removed }) => ({
        layer,
        system,
        purged,
        failed,
        waiting,
        removed,
      })),
    });
  const chunkOf = (index: number) => Math.floor(index / itemsPerChunk);
  const saving = chunks.length > 1;
  if (start.pass === 1) {
    for (let index = chunkOf(start.next); index < chunks.length; index++) {
      if (context.signal.aborted) return;
      const begun = await pass(run, context, chunks[index] ?? [], false);
      due[index] = begun + secondPassMs;
      context.progress("purge", Math.min(items.length, (index + 1) * itemsPerChunk), items.length);
      if (saving && !context.signal.aborted) await save(1, (index + 1) * itemsPerChunk);
    }
  }
  if (secondPassMs > soonMs) await passCloudflare(run, context, all, false);
  for (let index = start.pass === 2 ? chunkOf(start.next) : 0; index < chunks.length; index++) {
    if (context.signal.aborted) return;
    // A chunk that an earlier process sent: when is not known, so it waits its whole time from now.
    const at = due[index] ?? Date.now() + secondPassMs;
    if (at > Date.now()) {
      const from = Date.now() - run.startedAt;
      context.progress("wait", 0, 1);
      await sleep(at - Date.now(), context.signal);
      for (const state of run.layers) {
        if (state.layer === "varnish" && !run.down.has(state.system))
          state.spans.push({ what: "wait", from, to: Date.now() - run.startedAt });
      }
    }
    if (context.signal.aborted) return;
    if (due[index] === undefined) due.fill(1, index);
    if (!saving) await lookBetween(run, all);
    await pass(run, context, chunks[index] ?? [], true);
    context.progress("again", Math.min(items.length, (index + 1) * itemsPerChunk), items.length);
    if (saving && !context.signal.aborted) await save(2, (index + 1) * itemsPerChunk);
  }
  if (context.signal.aborted) return;
  await passCloudflare(run, context, all, secondPassMs > soonMs);
}

/** When a change was asked for, UTC ms. */
export async function askedAt(changeId: number): Promise<number> {
  const row = await db().change.findUnique({ where: { id: changeId }, select: { createdAt: true } });
  return row?.createdAt.getTime() ?? Date.now();
}
