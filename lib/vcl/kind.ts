// A VCL rolled out to the nodes of a cluster: compiled by all or by none, tried on one, then on the rest, proved by their own word.
import * as z from "zod";
import { requireRole } from "../auth/permissions";
import { type ChangeKind, notTakenBack, type RunContext } from "../changes/kind";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { type ErrorCode, errorStatus } from "../errors/codes";
import { log } from "../runtime/log";
import { sentenceOf, vclList } from "../systems/varnish/cli";
import { checkVcl, ownVcl } from "./compile";
import {
  canarySignals,
  type RolloutEvidence,
  type RolloutInput,
  type RolloutPlan,
  rolloutEvidence,
  rolloutInput,
  rolloutPlan,
} from "./contract";
import { flatten } from "./flatten";
import { hasCli, nodeCalled, nodesOf } from "./nodes";
import { keepProved, revisionWith, type WholeRevision, wholeRevision } from "./revisions";
import { changed, letGo, type PlannedNode, Rollout, seenOn } from "./rollout";
import { type Running, runningOn } from "./running";
import { pageName, pagesOf, signalsOf, type Window, watchNode, windowShape, worseThan } from "./signals";
import { runTrials } from "./trial";

export const rolloutKindName = "vcl.rollout";
/** How long a node is watched before it gets a new VCL, at most: what was normal on it. */
const beforeS = 10;

const checkpointShape = z.object({
  /** How the canary was before it got the new VCL. */
  normal: windowShape.nullable(),
  /** How it was with it; null until it was watched to the end and found well. */
  canary: canarySignals.nullable(),
  tests: z.int().nullable(),
  /** Why everything is being taken back: after a crash it does not go forward again. */
  takingBack: z
    .object({
      code: z.custom<ErrorCode>((code) => typeof code === "string" && code in errorStatus),
      message: z.string(),
      problem: z.string().optional(),
      params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    })
    .nullable(),
});
type Checkpoint = z.infer<typeof checkpointShape>;
const kept = ({ checkpoint }: RunContext): Checkpoint =>
  checkpointShape.catch({ normal: null, canary: null, tests: null, takingBack: null }).parse(checkpoint);

/** What each node runs. Of an undo, those that do not answer are told apart; throws AppError for the others, and where none answers. */
async function lookAll({ revisions, back }: RolloutInput, signal: AbortSignal) {
  const answered: { node: string; revision: number; running: Running }[] = [];
  const silent: { node: string; revision: number; error: unknown }[] = [];
  await Promise.all(
    Object.entries(revisions).map(async ([node, revision]) => {
      try {
        answered.push({ node, revision, running: await runningOn(nodeCalled(node), signal) });
      } catch (error) {
        if (!back || signal.aborted) throw error;
        silent.push({ node, revision, error });
      }
    }),
  );
  if (answered.length === 0 && silent[0] !== undefined) throw silent[0].error;
  const order = Object.keys(revisions);
  answered.sort((a, b) => order.indexOf(a.node) - order.indexOf(b.node));
  return { answered, silent };
}

/** The node that serves it first. Throws AppError INVALID_INPUT for one that is not among them. */
function canaryOf({ canary, watchS, revisions }: RolloutInput, nodes: readonly PlannedNode[]) {
  if (canary === null || watchS === 0) return null;
  if (revisions[canary] === undefined)
    throw new AppError("INVALID_INPUT", `${canary} is none of the nodes that get it.`, {
      problem: "vcl.canaryElsewhere",
      params: { node: canary },
      field: "canary",
    });
  // On one that has it already there is nothing to be seen.
  const fresh = nodes.filter(({ already }) => !already);
  const chosen = fresh.find(({ node }) => node === canary) ?? fresh[0];
  return chosen === undefined ? null : nodeCalled(chosen.node);
}

async function planRollout(input: RolloutInput, signal: AbortSignal): Promise<RolloutPlan> {
  const all = nodesOf(input.cluster);
  const asked = Object.entries(input.revisions);
  for (const [name] of asked) {
    const node = all.find((one) => one.name === name);
    if (node === undefined || !hasCli(node))
      throw new AppError(
        "INVALID_INPUT",
        `${name} is no node of ${input.cluster} with a management address.`,
        {
          problem: node === undefined ? "vcl.noNode" : "varnish.noAdmin",
          params: { node: name },
          field: "revisions",
        },
      );
  }
  const revisions = new Map<number, WholeRevision>();
  for (const number of new Set(Object.values(input.revisions)))
    revisions.set(number, await wholeRevision(input.cluster, number));
  for (const { number, files } of revisions.values()) {
    const [missing] = flatten(files).foreign;
    if (missing !== undefined)
      throw new AppError(
        "INVALID_INPUT",
        `Revision ${number} includes ${missing.path}, which is none of its files.`,
        {
          problem: "vcl.includeMissing",
          params: { number, path: missing.path },
          field: "revisions",
        },
      );
  }
  const { answered, silent } = await lookAll(input, signal);
  const nodes = await Promise.all(
    answered.map(async ({ node, revision, running }): Promise<PlannedNode> => {
      const hash = revisions.get(revision)?.hash ?? "";
      const already = running.hash === hash;
      const expected = input.expected?.[node] ?? running.hash;
      // An undo may find that somebody else, or a restart, has brought back what was there before.
      if (expected !== running.hash && !(input.back && already)) throw changed(node);
      return {
        node,
        revision,
        hash,
        before: {
          name: running.name,
          hash: running.hash,
          revision: await revisionWith(input.cluster, running.hash),
        },
        already,
        keeps: nodeCalled(node).vcl_path !== undefined,
      };
    }),
  );
  const canary = canaryOf(input, nodes);
  return {
    cluster: input.cluster,
    nodes,
    without: all.map(({ name }) => name).filter((name) => input.revisions[name] === undefined),
    silent: silent.map(({ node, revision, error }) => ({
      node,
      revision,
      problem: tellProblem(error, {
        problem: "health.failed",
        params: { says: toAppError(error).message },
      }),
    })),
    canary: canary?.name ?? null,
    watchS: canary === null ? 0 : input.watchS,
    watched: {
      pages: canary === null ? [] : pagesOf(canary).map(pageName),
      counters: canary?.metrics !== undefined,
    },
    tests: input.back ? 0 : [...revisions.values()].reduce((sum, { tests }) => sum + tests.length, 0),
  };
}

/** Runs the tests of each revision where a varnishd is at hand. Gives how many passed; null where there is none. */
async function runTests(revisions: readonly WholeRevision[], context: RunContext): Promise<number | null> {
  let passed = 0;
  for (const { number, text, tests } of revisions) {
    if (tests.length === 0) continue;
    const ran = await runTrials(text, tests, context.signal).catch((error: unknown) => {
      throw withoutSource(error);
    });
    if (ran.state === "absent") {
      context.log("warn", "vcl.noVarnishd", { number, count: tests.length });
      return null;
    }
    const failed = ran.results.filter(({ ok }) => !ok);
    if (failed.length > 0)
      throw new AppError(
        "REFUSED",
        `Tests of revision ${number} fail: ${failed.map(({ name }) => name).join(", ")}.`,
        {
          problem: "vcl.testsFail",
          params: {
            number,
            names: failed
              .map(({ name }) => name)
              .join(", ")
              .slice(0, 300),
          },
        },
      );
    passed += tests.length;
    context.log("info", "vcl.testsPass", { number, count: tests.length });
  }
  return passed;
}

/** What a compiler says quotes the source, and a change's error is read by everybody. */
function withoutSource(error: unknown): unknown {
  const { code, detail } = toAppError(error);
  if (detail.problem !== "vclTrial.compile") return error;
  const says = sentenceOf(String(detail.params?.says ?? ""));
  return new AppError(code, `The trial's varnishd: ${says}`, {
    problem: "vclTrial.compile",
    params: { says },
  });
}

const isStopping = (signal: AbortSignal): boolean =>
  signal.aborted && toAppError(signal.reason).detail.problem === "stopping";

async function apply(plan: RolloutPlan, context: RunContext): Promise<void> {
  const revisions = new Map<number, WholeRevision>();
  for (const { revision } of plan.nodes)
    if (!revisions.has(revision)) revisions.set(revision, await wholeRevision(plan.cluster, revision));
  const rollout = new Rollout(plan, context, revisions);
  const { takingBack } = kept(context);
  if (takingBack !== null) {
    const { code, message, problem, params } = takingBack;
    const detail = {
      ...(problem === undefined ? {} : { problem }),
      ...(params === undefined ? {} : { params }),
    };
    await withoutTrace(rollout, new AppError(code, message, detail), context);
  }
  try {
    await carryOut(plan, rollout, [...revisions.values()], context);
  } catch (thrown) {
    // The next start takes it up where it is.
    if (isStopping(context.signal)) throw thrown;
    await withoutTrace(rollout, thrown, context);
  }
}

/** Takes everything back and throws why it was; or that it could not be. */
async function withoutTrace(rollout: Rollout, why: unknown, context: RunContext): Promise<never> {
  const { code, message, detail } = toAppError(why);
  const { problem, params } = detail;
  await context
    .saveCheckpoint({ ...kept(context), takingBack: { code, message, problem, params } } satisfies Checkpoint)
    .catch((error: unknown) => log.warn({ err: error, changeId: context.changeId }, "checkpoint not saved"));
  const failed = await rollout.takeBack();
  if (failed.length === 0) throw why;
  const what = failed.map(({ what }) => what).join(", ");
  const says = failed.map(({ error }) => error.message).join(" ");
  throw new AppError("CONFLICT", `${message} It could not be taken back: ${what}. ${says}`, {
    problem: notTakenBack,
    params: { what, says: `${message} ${says}` },
    cause: why,
  });
}

async function carryOut(
  plan: RolloutPlan,
  rollout: Rollout,
  revisions: readonly WholeRevision[],
  context: RunContext,
): Promise<void> {
  const steps = 5;
  context.progress("compile", 0, steps);
  for (const { node } of plan.silent) context.log("warn", "vcl.leftOut", { node });
  await rollout.look();
  const canary = plan.nodes.find(({ node }) => node === plan.canary);
  // What is normal on it is watched while the others are busy with compiling.
  const normal = canary === undefined ? null : normalOf(canary, plan, context);
  normal?.catch(() => {});
  // An undo has none; and after a crash they have passed.
  const again = context.checkpoint !== null;
  const tests = again ? kept(context).tests : plan.tests === 0 ? 0 : await runTests(revisions, context);
  await rollout.stage();
  await rollout.compile();
  await context.saveCheckpoint({ ...kept(context), normal: await normal, tests } satisfies Checkpoint);
  if (canary !== undefined && kept(context).canary === null) await tryOn(canary, plan, rollout, context);
  context.commit();
  context.progress("rest", 3, steps);
  await rollout.serveFromAll();
  context.progress("files", 4, steps);
  await rollout.place();
  await rollout.prove();
}

/** How the canary was before; after a crash it may serve the new one already. */
async function normalOf(canary: PlannedNode, { watchS }: RolloutPlan, context: RunContext): Promise<Window> {
  const { normal } = kept(context);
  return normal ?? watchNode(nodeCalled(canary.node), Math.min(watchS, beforeS), context.signal);
}

/** Serves it from one node and watches that. Throws CONFLICT when the node is worse than before. */
async function tryOn(
  canary: PlannedNode,
  plan: RolloutPlan,
  rollout: Rollout,
  context: RunContext,
): Promise<void> {
  const { normal } = kept(context);
  if (normal === null) return;
  await rollout.serveFrom(canary);
  const now = await watchNode(nodeCalled(canary.node), plan.watchS, context.signal, {
    before: normal,
    bad: (window) => worseThan(normal, window) !== null,
    tell: (done) => context.progress("watch", done, plan.watchS),
  });
  if (plan.watched.counters && (normal.counters === null || now.counters === null))
    context.log("warn", "vcl.noCounters", { node: canary.node });
  const worse = worseThan(normal, now);
  if (worse === null)
    return context.saveCheckpoint({ ...kept(context), canary: signalsOf(normal, now) } satisfies Checkpoint);
  const { failed, asked } = now.pages;
  throw new AppError("CONFLICT", `${canary.node} got worse with it (${worse}): it was taken back.`, {
    problem: `vcl.worse.${worse}`,
    params: { node: canary.node, failed, asked },
  });
}

/** One node, as it is seen to be; and what it was proved to run is written down. */
async function proveNode(
  plan: RolloutPlan,
  node: PlannedNode,
  context: RunContext,
): Promise<RolloutEvidence["nodes"][number]> {
  const before = node.before.revision ?? (await revisionWith(plan.cluster, node.before.hash));
  const common = { node: node.node, revision: node.revision, before };
  try {
    const { name, hash, file, served, ok } = await seenOn(node, context.signal);
    if (served)
      await keepProved(plan.cluster, node.node, {
        revision: node.revision,
        hash: node.hash,
        changeId: context.changeId,
      });
    return { ...common, ok, active: name, hash, file, problem: null };
  } catch (error) {
    const says = toAppError(error).message;
    const problem = tellProblem(error, { problem: "health.failed", params: { says } });
    return { ...common, ok: false, active: null, hash: null, file: "none", problem };
  }
}

/** Lets go of older VCLs of ours: each keeps memory and its backends' probes. The one before stays, for a quick way back by hand. */
async function tidy(node: PlannedNode, context: RunContext): Promise<void> {
  for (const { name, status } of await vclList(nodeCalled(node.node), context.signal)) {
    // A check's: Sluice ended while it was compiled.
    const old = ownVcl.test(name) || checkVcl.test(name);
    if (status === "available" && name !== node.before.name && old) await letGo(node.node, name, context);
  }
}

export const rolloutKind: ChangeKind<RolloutInput, RolloutPlan, RolloutEvidence> = {
  kind: rolloutKindName,
  input: rolloutInput,
  plan: rolloutPlan,
  evidence: rolloutEvidence,
  seen: "operator",
  // Each step looks first whether it is done.
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  makePlan: (input, { signal }) => planRollout(input, signal),
  describe: (plan) => {
    const numbers = [...new Set(plan.nodes.map(({ revision }) => revision))];
    return {
      title: `${plan.cluster}: ${numbers.map((number) => `r${number}`).join(", ")}`,
      site: null,
      level: "disruptive",
      targets: plan.nodes.map(({ node }) => `varnish:${node}`),
    };
  },
  apply,

  async verify(plan, context) {
    const proved = await Promise.all(plan.nodes.map((node) => proveNode(plan, node, context)));
    // An undo that left a node out is not done: it can be asked for again.
    const silent = plan.silent.map((one): RolloutEvidence["nodes"][number] => ({
      ...one,
      ok: false,
      active: null,
      hash: null,
      file: "none",
      before: null,
    }));
    const nodes = [...proved, ...silent];
    const ok = nodes.every((node) => node.ok);
    if (proved.every((node) => node.ok))
      await Promise.all(
        plan.nodes.map((node) =>
          tidy(node, context).catch((error: unknown) =>
            context.log("warn", "vcl.notAsked", { node: node.node, says: toAppError(error).message }),
          ),
        ),
      );
    const { canary, tests } = kept(context);
    return { ok, outcome: ok ? "live" : "otherwise", evidence: { nodes, canary, tests } };
  },

  undo({ plan, evidence }) {
    // Without evidence nothing was left of it.
    if (evidence === null) return null;
    const revisions: Record<string, number> = {};
    // What was brought to it since is not rolled over.
    const expected: Record<string, string> = {};
    for (const { node, before, revision, hash } of evidence.nodes) {
      if (before === null || before === revision) continue;
      revisions[node] = before;
      if (hash !== null) expected[node] = hash;
    }
    if (Object.keys(revisions).length === 0) return null;
    return {
      kind: rolloutKindName,
      // At once: what ran before needs no trial.
      input: {
        cluster: plan.cluster,
        revisions,
        canary: null,
        watchS: 0,
        expected,
        back: true,
      } satisfies RolloutInput,
    };
  },
};
