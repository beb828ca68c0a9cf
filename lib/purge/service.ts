// What the API calls for purges: plan, start, look, sites, outbox, doctor.
import type * as z from "zod";
import { type ChangeRow, type changeOrigin, changeRow } from "@/lib/changes/contract";
import { engine } from "@/lib/changes/engine";
import type { Actor } from "@/lib/changes/kind";
import { config } from "@/lib/config/load";
import { db } from "@/lib/db/client";
import { AppError } from "@/lib/errors/app-error";
import {
  type LayerKind,
  type PurgePlan,
  type PurgeProof,
  type PurgeRequest,
  purgePlan,
  purgeProof,
  type SiteSummary,
} from "./contract";
import { cachesOf } from "./stack";

export { runDoctor } from "./doctor";
export { outboxState } from "./owed";

export type PurgeChange = ChangeRow & { readonly plan: PurgePlan; readonly proof: PurgeProof | null };
export type PurgeObjectRow = {
  readonly seq: number;
  readonly type: string;
  readonly host: string;
  readonly value: string;
  readonly cause: z.infer<ReturnType<typeof z.json>> | null;
  readonly count: number;
};

const inputOf = ({ target, mode, warm }: PurgeRequest) => ({ target, mode, warm });

/** What a purge would do and what is cached now. Throws AppError INVALID_INPUT, FORBIDDEN, NOT_FOUND, NOT_CONFIGURED. */
export async function planPurge(
  request: PurgeRequest,
  actor: Actor,
  signal?: AbortSignal,
): Promise<PurgePlan> {
  const { plan } = await engine().plan("purge", inputOf(request), actor, signal);
  return purgePlan.parse(plan);
}

/** Accepts a purge: durable and running when it resolves with its change's id. Throws as `planPurge`, and CONFIRMATION_REQUIRED. */
export function startPurge(
  request: PurgeRequest,
  actor: Actor,
  origin: z.infer<typeof changeOrigin>,
  requestId: string | null = null,
): Promise<number> {
  return engine().start({
    kind: "purge",
    input: inputOf(request),
    actor,
    origin,
    reason: request.reason ?? null,
    confirmation: request.confirmation ?? null,
    requestId,
  });
}

const kinds = ["purge", "purge.gateway"];

/** A purge with its plan and, once there is one, its proof. Throws AppError NOT_FOUND. */
export async function purgeChange(id: number): Promise<PurgeChange> {
  const stored = await db().change.findFirst({
    where: { id, kind: { in: kinds } },
    select: { plan: true, evidence: true },
  });
  if (!stored) {
    throw new AppError("NOT_FOUND", `There is no purge ${id}.`, {
      problem: "change.notFound",
      params: { id },
    });
  }
  const row = changeRow.parse(await engine().wait(id, 0));
  return {
    ...row,
    plan: purgePlan.parse(JSON.parse(stored.plan)),
    proof: stored.evidence === null ? null : purgeProof.parse(JSON.parse(stored.evidence)),
  };
}

/** The objects of a purge in order, from after `after` (a `seq`). `next` is null at the end. */
export async function purgeObjects(
  id: number,
  after: number,
  limit: number,
): Promise<{ objects: PurgeObjectRow[]; next: number | null }> {
  const rows = await db().purgeItem.findMany({
    where: { changeId: id, id: { gt: after } },
    orderBy: { id: "asc" },
    take: limit,
    select: { id: true, type: true, host: true, value: true, cause: true, count: true },
  });
  const objects = rows.map(({ id: seq, cause, ...row }) => ({
    seq,
    ...row,
    cause: cause === null ? null : JSON.parse(cause),
  }));
  return { objects, next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null };
}

/** The sites this actor may purge, with their layers in purge order. */
export function sitesFor(actor: Actor): SiteSummary[] {
  const settings = config();
  return settings.sites
    .filter((site) => actor.sites === null || actor.sites.includes(site.name))
    .map((site) => {
      const caches = cachesOf(settings, site);
      const layers: { layer: LayerKind; systems: string[] }[] = [
        { layer: "redis", systems: [...new Set(caches.redis.map((cache) => cache.system.name))] },
        { layer: "nginx", systems: caches.nginx.map((system) => system.name) },
        { layer: "varnish", systems: caches.varnish.map((node) => node.name) },
        { layer: "cloudflare", systems: caches.cloudflare ? [caches.cloudflare.name] : [] },
      ];
      return {
        name: site.name,
        title: site.title ?? site.name,
        addresses: site.addresses,
        status: site.status !== undefined,
        layers: layers.filter(({ systems }) => systems.length > 0),
      };
    });
}
