// A batch of the purge gateway as a Change: claims what was taken in, expands it by the sites' rules, purges and proves it.
import * as z from "zod";
import type { ChangeKind, Verdict } from "@/lib/changes/kind";
import { config } from "@/lib/config/load";
import type { Config } from "@/lib/config/schema";
import { db } from "@/lib/db/client";
import { AppError } from "@/lib/errors/app-error";
import { singleton } from "@/lib/runtime/singleton";
import { siteByName } from "@/lib/sites/site";
import { applyItems, askedAt } from "./apply";
import { MAX_LISTED, type PurgePlan, type PurgeProof, purgePlan, purgeProof } from "./contract";
import type { Counted } from "./gateway-intake";
import { expandAsks, itemsOf } from "./items";
import { succeeded } from "./kind";
import { forgetRun, newRun, runOf } from "./run-state";
import { cachesOf } from "./stack";
import { prove } from "./verify";

/** The rows after `from` up to `upTo`. */
const input = z.object({ from: z.int().min(0), upTo: z.int().positive() });
type GatewayInput = z.infer<typeof input>;

/** Batches at work in this process, and how often each target was asked for. */
type Load = {
  running: number;
  readonly counts: Map<number, ReadonlyMap<string, Counted>>;
  readonly items: Map<number, Awaited<ReturnType<typeof itemsOf>>>;
};
const load = () =>
  singleton("purge.gateway.load", (): Load => ({ running: 0, counts: new Map(), items: new Map() }));

/** How many batches are at work. */
export const runningBatches = (): number => load().running;
/** Keeps how often each target of a batch was asked for until the batch is claimed. */
export const keepCounts = (upTo: number, counts: ReadonlyMap<string, Counted>): void => {
  load().counts.set(upTo, counts);
};

/** Asks for which translations and tags are still looked up; a flood is purged as it is named. */
const mostLookedUp = 20;
const findMs = 1000;
/** With more batches than this at once each is proved by a few pages only. */
const calmBatches = 3;

const words = (ask: { type: string; host: string; value: string }): string =>
  (ask.type === "tag"
    ? `tag:${ask.value}`
    : ask.type === "regex"
      ? `${ask.host} ~ ${ask.value}`
      : `${ask.host}${ask.value}`
  ).slice(0, 200);

const causeOf = z.object({ client: z.string(), agent: z.string(), header: z.string() });

async function planBatch(settings: Config, { from, upTo }: GatewayInput): Promise<PurgePlan> {
  const open = { changeId: null, id: { gt: from, lte: upTo } };
  // What this process took in it still has; only after a restart the rows are read.
  const taken = load().counts.get(upTo);
  const some =
    taken && taken.size > 0
      ? [...taken.values()]
          .slice(0, MAX_LISTED)
          .map(({ item, cause }) => ({ ...item, cause: JSON.stringify(cause) }))
      : await db().purgeItem.findMany({ where: open, orderBy: { id: "asc" }, take: MAX_LISTED });
  const items = taken && taken.size > 0 ? taken.size : await db().purgeItem.count({ where: open });
  const names =
    taken && taken.size > 0
      ? new Set([...taken.values()].map(({ item }) => item.site))
      : new Set(
          (await db().purgeItem.findMany({ where: open, distinct: ["site"], select: { site: true } })).map(
            ({ site }) => site,
          ),
        );
  const sites = [...names].flatMap((site) => (site === null ? [] : (siteByName(settings, site) ?? [])));
  const causes = some.flatMap(({ cause }) => (cause === null ? [] : [causeOf.parse(JSON.parse(cause))]));
  const counted = [...(load().counts.get(upTo)?.values() ?? [])].reduce((sum, { count }) => sum + count, 0);
  const layers = new Map<string, PurgePlan["layers"][number]>();
  for (const site of sites) {
    const caches = cachesOf(settings, site);
    const put = (layer: PurgePlan["layers"][number]["layer"], system: string) =>
      layers.set(`${layer} ${system}`, {
        layer,
        system,
        operations: items,
        waitMs: null,
        now: [],
        error: null,
      });
    for (const { system } of caches.redis) put("redis", system.name);
    for (const { name } of caches.nginx) put("nginx", name);
    for (const { name } of caches.varnish) put("varnish", name);
    if (caches.cloudflare) put("cloudflare", caches.cloudflare.name);
  }
  return {
    target: { by: "url", urls: some.length > 0 ? some.map(words) : ["-"] },
    mode: some.length > 0 && some.every(({ soft }) => soft) ? "soft" : "hard",
    warm: "no",
    sites: sites.map(({ name }) => name),
    pages: some.filter(({ type }) => type === "url").length,
    objects: some.flatMap(({ type, host, value, site }) => {
      const read = purgePlan.shape.objects.element.safeParse({
        type,
        host,
        value,
        label: type === "url" ? "page" : type,
        site,
      });
      return read.success ? [read.data] : [];
    }),
    objectCount: items,
    layers: [...layers.values()],
    secondPassMs: Math.max(0, ...sites.map((site) => site.second_pass)),
    level: "reversible",
    confirmation: null,
    batch: {
      asks: Math.max(items, counted),
      items,
      clients: [...new Set(causes.map(({ client }) => client))].slice(0, 10),
      headers: [...new Set(causes.map(({ header }) => header))].slice(0, 10),
    },
    warnings: [],
  };
}

/** Saves how often a target was asked for where it was more than once. */
async function saveCounts(changeId: number, counts: ReadonlyMap<string, Counted> | undefined): Promise<void> {
  const rows = [...(counts?.values() ?? [])].flatMap(({ item, count }) =>
    count > 1 ? [[item.type, item.host, item.value, item.soft ? 1 : 0, count]] : [],
  );
  if (rows.length === 0) return;
  await db().$executeRaw`
    UPDATE "PurgeItem" SET "count" = asked.value ->> 4 FROM json_each(${JSON.stringify(rows)}) AS asked
    WHERE "changeId" = ${changeId} AND "PurgeItem"."type" = asked.value ->> 0 AND "host" = asked.value ->> 1
      AND "PurgeItem"."value" = asked.value ->> 2 AND "soft" = asked.value ->> 3`;
}

export const gatewayKind: ChangeKind<GatewayInput, PurgePlan, PurgeProof> = {
  kind: "purge.gateway",
  input,
  plan: purgePlan,
  evidence: purgeProof,
  afterCrash: "resume",
  parallel: true,
  permit(_asked, actor) {
    // Nobody else begins one; operators may cancel one.
    if (actor.type === "gateway" || actor.role === "operator" || actor.role === "admin") return;
    throw new AppError("FORBIDDEN", "Batches of the purge gateway are begun by the gateway.", {
      problem: "purge.gatewayOnly",
    });
  },
  makePlan: (asked) => planBatch(config(), asked),
  describe(plan) {
    const first = plan.objects[0] ? words(plan.objects[0]) : "-";
    return {
      title: plan.objectCount > 1 ? `${first} +${plan.objectCount - 1}` : first,
      site: plan.sites.length === 1 ? (plan.sites[0] ?? null) : null,
      level: "reversible",
      targets: [...new Set(plan.objects.slice(0, 20).map(words))],
    };
  },

  async apply(_plan, context) {
    const state = load();
    state.running++;
    try {
      const settings = config();
      const { from, upTo } = input.parse(
        JSON.parse(
          (await db().change.findUniqueOrThrow({ where: { id: context.changeId }, select: { input: true } }))
            .input,
        ),
      );
      const run = newRun(context.changeId, await askedAt(context.changeId));
      // After a crash the batch has its rows already, and this claims none.
      await db().$executeRaw`
        UPDATE "PurgeItem" SET "changeId" = ${context.changeId} WHERE "changeId" IS NULL AND "id" > ${from} AND "id" <= ${upTo}`;
      const counts = state.counts.get(upTo);
      state.counts.delete(upTo);
      await saveCounts(context.changeId, counts);
      const items = await expandAsks(settings, await itemsOf(context.changeId), mostLookedUp, findMs, run);
      state.items.set(context.changeId, items);
      // Not from a checkpoint: what is expanded may differ after a crash, and purging again does no harm.
      await applyItems(settings, items, run, context, { from: null, save: async () => {} });
    } finally {
      state.running--;
    }
  },

  async verify(_plan, context): Promise<Verdict<PurgeProof>> {
    const state = load();
    const run = runOf(context.changeId) ?? newRun(context.changeId, await askedAt(context.changeId));
    const items = state.items.get(context.changeId) ?? (await itemsOf(context.changeId));
    const calm = state.running < calmBatches;
    state.running++;
    try {
      const proof = await prove(
        config(),
        items,
        run,
        context.signal,
        calm ? undefined : { fetched: 2, peeked: 20 },
      );
      return { ok: succeeded(proof), outcome: proof.verdict, evidence: proof };
    } finally {
      state.running--;
      state.items.delete(context.changeId);
      forgetRun(context.changeId);
    }
  },
};
