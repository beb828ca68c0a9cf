// The purge as a Change: by address, prefix, tag, site or everything, through all layers, with proof.
import * as z from "zod";
import type { ChangeKind, RunContext, Verdict } from "@/lib/changes/kind";
import { config } from "@/lib/config/load";
import { applyItems, askedAt, type Checkpoint } from "./apply";
import {
  type Cached,
  MAX_LISTED,
  type PurgePlan,
  type PurgeProof,
  purgePlan,
  purgeProof,
  purgeRequest,
} from "./contract";
import { gather } from "./gather";
import { itemsOf, keepItems } from "./items";
import { permitPurge } from "./permit";
import { planPurge } from "./plan";
import { forgetRun, newRun, type RunState, runOf } from "./run-state";
import { prove } from "./verify";
import { warm } from "./warm";

const input = purgeRequest.pick({ target: true, mode: true, warm: true });
export type PurgeInput = z.infer<typeof input>;

/** Longest that a page's translations are waited for once the purge runs; the plan waits less. */
const findMs = 1500;

const counts = z.object({
  layer: z.enum(["redis", "nginx", "varnish", "cloudflare"]),
  system: z.string(),
  purged: z.int(),
  failed: z.int(),
  waiting: z.int(),
  removed: z.int().nullable(),
});
const savedCheckpoint = z.object({
  kept: z.literal(true),
  at: z
    .object({ pass: z.union([z.literal(1), z.literal(2)]), next: z.int(), layers: z.array(counts) })
    .nullable(),
});

const shown = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

/** What history calls it, and what it locks: the pages, tags or areas themselves. */
function titleOf(plan: PurgePlan): { title: string; targets: string[] } {
  const { target } = plan;
  const areas = plan.objects.map(({ host, value, type }) =>
    type === "tag" ? `tag:${value}` : type === "prefix" ? `${host}${value}*` : host,
  );
  switch (target.by) {
    case "url": {
      const pages = plan.objects
        .filter((object) => object.label === "page")
        .map(({ host, value }) => shown(`${host}${value}`));
      const first = pages[0] ?? shown(target.urls[0] ?? "");
      return {
        title: plan.pages > 1 ? `${first} +${plan.pages - 1}` : first,
        targets: pages.slice(0, MAX_LISTED),
      };
    }
    case "tag":
      return { title: shown(`${target.site}: ${target.tags.join(" ")}`), targets: areas.map(shown) };
    case "prefix":
      return { title: shown(`${target.site}: ${target.prefix}*`), targets: areas.map(shown) };
    case "site":
      return { title: target.site, targets: areas };
    case "everything":
      return { title: "everything", targets: ["everything"] };
  }
}

function beforeOf(plan: PurgePlan): Map<string, Cached> {
  return new Map(
    plan.layers.flatMap(({ layer, system, now }) =>
      now[0] ? [[`${layer} ${system}`, now[0].cached] as const] : [],
    ),
  );
}

/** Whether a proof is a success: nothing stale, nothing refused. A node that waits gets its purges later. */
export const succeeded = (proof: PurgeProof): boolean =>
  proof.verdict !== "stale" && proof.layers.every((layer) => layer.failed === 0);

export const purgeKind: ChangeKind<PurgeInput, PurgePlan, PurgeProof> = {
  kind: "purge",
  input,
  plan: purgePlan,
  evidence: purgeProof,
  afterCrash: "resume",
  permit: ({ target }, actor) => permitPurge(target, actor),
  makePlan: (asked, { actor }) => planPurge(config(), asked, actor.sites),
  describe(plan) {
    return {
      ...titleOf(plan),
      site: plan.sites.length === 1 ? (plan.sites[0] ?? null) : null,
      level: plan.level,
      ...(plan.confirmation === null ? {} : { confirmation: plan.confirmation }),
    };
  },

  async apply(plan, context: RunContext) {
    const settings = config();
    const soft = plan.mode === "soft";
    const run = newRun(context.changeId, await askedAt(context.changeId));
    run.before = beforeOf(plan);
    const saved = savedCheckpoint.safeParse(context.checkpoint);
    const needsSample = plan.target.by !== "url";
    if (!saved.success || needsSample) {
      // Who asked was checked when the plan was made; its sites are those of the plan.
      const whole = plan.objectCount <= plan.objects.length && !needsSample;
      const gathered = whole ? null : await gather(settings, plan.target, plan.sites, findMs);
      run.sample = gathered?.sample.map((page) => ({ ...page })) ?? [];
      if (!saved.success) {
        await keepItems(context.changeId, gathered?.objects ?? plan.objects, soft);
        await context.saveCheckpoint({ kept: true, at: null });
      }
    }
    const items = await itemsOf(context.changeId);
    const from: Checkpoint | null = saved.success ? saved.data.at : null;
    await applyItems(settings, items, run, context, {
      from,
      save: (at) => context.saveCheckpoint({ kept: true, at }),
    });
    if (plan.warm !== "no" && !context.signal.aborted) {
      run.warmed = await warm(settings, plan.warm, items, context.signal, (done, total) =>
        context.progress("warm", done, total),
      );
    }
  },

  async verify(_plan, context): Promise<Verdict<PurgeProof>> {
    const run: RunState =
      runOf(context.changeId) ?? newRun(context.changeId, await askedAt(context.changeId));
    try {
      const proof = await prove(config(), await itemsOf(context.changeId), run, context.signal);
      return { ok: succeeded(proof), outcome: proof.verdict, evidence: proof };
    } finally {
      forgetRun(context.changeId);
    }
  },
};
