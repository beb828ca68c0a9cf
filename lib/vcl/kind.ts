// A VCL rolled out to the nodes of a cluster: compiled by all or by none, tried on one, then on the rest, proved by their own word.
import * as z from "zod";
import { requireRole } from "../auth/permissions";
import { type ChangeKind, notTakenBack, type RunContext } from "../changes/kind";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { vclDiscard, vclInline, vclList, vclUse } from "../systems/varnish/cli";
import { ownVcl, vclNameOf } from "./compile";
import {
  canarySignals,
  type RolloutEvidence,
  type RolloutInput,
  type RolloutPlan,
  rolloutEvidence,
  rolloutInput,
  rolloutPlan,
} from "./contract";
import { readVclFile, type Staged, stageFile } from "./file";
import { flatten } from "./flatten";
import { hasCli, hashOf, nodeCalled, nodesOf, type VclNodeConfig } from "./nodes";
import { keepFound, keepProved, revisionWith, type WholeRevision, wholeRevision } from "./revisions";
import { runningOn } from "./running";
import { pageName, pagesOf, signalsOf, type Window, watchNode, windowShape, worseThan } from "./signals";
import { runTrials } from "./trial";

export const rolloutKindName = "vcl.rollout";
/** How long a node is watched before it gets a new VCL, at most: what was normal on it. */
const beforeS = 10;

type Node = RolloutPlan["nodes"][number];
const checkpointShape = z.object({
  /** How the canary was before it got the new VCL. */
  normal: windowShape.nullable(),
  /** How it was with it; null until it was watched to the end and found well. */
  canary: canarySignals.nullable(),
  tests: z.int().nullable(),
});
type Checkpoint = z.infer<typeof checkpointShape>;
const kept = ({ checkpoint }: RunContext): Checkpoint =>
  checkpointShape.catch({ normal: null, canary: null, tests: null }).parse(checkpoint);

const changed = (node: string) =>
  new AppError("CONFLICT", `${node} runs another VCL than when it was looked at: look at it again.`, {
    problem: "vcl.changed",
    params: { node },
  });

const nameOn = (node: Node, context: RunContext): string => vclNameOf(node.revision, context.changeId);

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
  const nodes = await Promise.all(
    asked.map(async ([name, number]): Promise<Node> => {
      const node = nodeCalled(name);
      const running = await runningOn(node, signal);
      if (input.expected !== undefined && input.expected[name] !== running.hash) throw changed(name);
      const hash = revisions.get(number)?.hash ?? "";
      return {
        node: name,
        revision: number,
        hash,
        before: {
          name: running.name,
          hash: running.hash,
          revision: await revisionWith(input.cluster, running.hash),
        },
        already: running.hash === hash,
        keeps: node.vcl_path !== undefined,
      };
    }),
  );
  const chosen = nodes.find(({ node, already }) => node === input.canary && !already);
  const canary = chosen === undefined || input.watchS === 0 ? null : nodeCalled(chosen.node);
  return {
    cluster: input.cluster,
    nodes,
    without: all.map(({ name }) => name).filter((name) => input.revisions[name] === undefined),
    canary: canary?.name ?? null,
    watchS: canary === null ? 0 : input.watchS,
    watched: {
      pages: canary === null ? [] : pagesOf(canary).map(pageName),
      counters: canary?.metrics !== undefined,
    },
    tests: [...revisions.values()].reduce((sum, { tests }) => sum + tests.length, 0),
  };
}

/** Runs the tests of each revision where a varnishd is at hand. Gives how many passed; null where there is none. */
async function runTests(revisions: readonly WholeRevision[], context: RunContext): Promise<number | null> {
  let passed = 0;
  for (const { number, text, tests } of revisions) {
    if (tests.length === 0) continue;
    const ran = await runTrials(text, tests, context.signal);
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

/** What one roll-out has in its hands; everything that it can take back. */
class Rollout {
  readonly #plan: RolloutPlan;
  readonly #context: RunContext;
  readonly #revisions: ReadonlyMap<number, WholeRevision>;
  readonly #staged = new Map<string, Staged>();
  /** Files as they were before they were replaced. */
  readonly #replaced = new Map<string, string | null>();
  /** Nodes that may serve it by now. */
  readonly #told = new Set<string>();

  constructor(plan: RolloutPlan, context: RunContext, revisions: ReadonlyMap<number, WholeRevision>) {
    this.#plan = plan;
    this.#context = context;
    this.#revisions = revisions;
  }

  #text(revision: number): string {
    return this.#revisions.get(revision)?.text ?? "";
  }

  /** Keeps what runs now, so that there is a way back. Throws CONFLICT when a node runs neither that nor ours. */
  async look(): Promise<void> {
    for (const node of this.#plan.nodes) {
      const running = await runningOn(nodeCalled(node.node), this.#context.signal);
      if (running.name === nameOn(node, this.#context)) {
        // Of a run that was cut off.
        this.#told.add(node.node);
        continue;
      }
      if (running.hash === node.hash) continue;
      if (running.hash !== node.before.hash) throw changed(node.node);
      await keepFound(this.#plan.cluster, node.node, running.files);
    }
  }

  /** Compiles on every node, at the same time: one that refuses is enough. */
  async compile(): Promise<void> {
    const { signal } = this.#context;
    await all(this.#fresh(), async (node) => {
      const config = nodeCalled(node.node);
      const name = nameOn(node, this.#context);
      if ((await vclList(config, signal)).some((one) => one.name === name && one.status !== "discarded"))
        return;
      await vclInline(config, name, this.#text(node.revision), signal);
      this.#context.log("info", "vcl.compiled", { node: node.node, number: node.revision });
    });
  }

  /** Writes each node's file beside the one that is there: a full disk is met before anything serves. */
  async stage(): Promise<void> {
    for (const node of this.#plan.nodes) {
      const path = nodeCalled(node.node).vcl_path;
      if (path === undefined) continue;
      const text = this.#text(node.revision);
      const before = await readVclFile(path);
      if (before === text) continue;
      this.#replaced.set(node.node, before);
      this.#staged.set(node.node, await stageFile(path, text, `sluice-${this.#context.changeId}`));
    }
  }

  /** Serves it from a node; one that serves it already is left as it is. */
  use = async (node: Node): Promise<void> => {
    const again = this.#told.has(node.node);
    this.#told.add(node.node);
    await vclUse(nodeCalled(node.node), nameOn(node, this.#context), this.#context.signal);
    if (!again) this.#context.log("info", "vcl.serves", { node: node.node, number: node.revision });
  };

  /** Puts the files in their places. */
  async place(): Promise<void> {
    for (const staged of this.#staged.values()) await staged.place();
  }

  async dropStaged(): Promise<void> {
    for (const staged of this.#staged.values()) await staged.drop();
  }

  /** Every node as it was before, its file too. Gives the nodes where that could not be done, with why. */
  async takeBack(): Promise<{ node: string; error: AppError }[]> {
    await this.dropStaged();
    const failed: { node: string; error: AppError }[] = [];
    await Promise.all(
      this.#plan.nodes.map(async (node) => {
        try {
          await this.#takeBackOne(node);
        } catch (thrown) {
          const error = toAppError(thrown);
          // Nothing was told to it but to compile, which harms nobody; the next roll-out lets go of that.
          if (this.#told.has(node.node)) failed.push({ node: node.node, error });
          else this.#context.log("warn", "vcl.notAsked", { node: node.node, says: error.message });
        }
      }),
    );
    return failed;
  }

  async #takeBackOne(node: Node): Promise<void> {
    const config = nodeCalled(node.node);
    await this.#fileBack(node, config);
    if (node.already) return;
    const ours = nameOn(node, this.#context);
    const listed = await vclList(config);
    if (listed.some(({ name, status }) => name === ours && status === "active")) {
      await this.#serveBefore(node, config, listed);
      this.#context.log("warn", "vcl.tookBack", { node: node.node });
    }
    await vclDiscard(config, ours);
  }

  async #serveBefore(
    node: Node,
    config: VclNodeConfig,
    listed: readonly { readonly name: string; readonly status: string }[],
  ): Promise<void> {
    if (listed.some(({ name, status }) => name === node.before.name && status !== "discarded"))
      return vclUse(config, node.before.name);
    // It was restarted meanwhile, or somebody took it away: our copy of it is as good.
    const before = await this.#textBefore(node);
    if (before === null) throw changed(node.node);
    const name = vclNameOf(before.number, this.#context.changeId);
    await vclInline(config, name, before.text);
    await vclUse(config, name);
  }

  async #fileBack(node: Node, { vcl_path: path }: VclNodeConfig): Promise<void> {
    if (path === undefined) return;
    const now = await readVclFile(path);
    // Somebody else's, or never replaced. Where there was none, the new one is no worse.
    if (now !== this.#text(node.revision)) return;
    const before = this.#replaced.get(node.node) ?? (await this.#textBefore(node))?.text;
    if (before === undefined || before === now) return;
    await (await stageFile(path, before, `sluice-${this.#context.changeId}`)).place();
  }

  async #textBefore({ before }: Node): Promise<WholeRevision | null> {
    const number = await revisionWith(this.#plan.cluster, before.hash);
    return number === null ? null : wholeRevision(this.#plan.cluster, number);
  }

  #fresh(): Node[] {
    return this.#plan.nodes.filter(({ already }) => !already);
  }
}

/** Does something with each at once; throws the first failure when all have ended. */
async function all<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(items.map(act));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

const isStopping = (signal: AbortSignal): boolean =>
  signal.aborted && toAppError(signal.reason).detail.problem === "stopping";

async function apply(plan: RolloutPlan, context: RunContext): Promise<void> {
  const revisions = new Map<number, WholeRevision>();
  for (const { revision } of plan.nodes)
    if (!revisions.has(revision)) revisions.set(revision, await wholeRevision(plan.cluster, revision));
  const rollout = new Rollout(plan, context, revisions);
  try {
    await carryOut(plan, rollout, [...revisions.values()], context);
  } catch (thrown) {
    // The next start takes it up where it is.
    if (isStopping(context.signal)) throw thrown;
    await withoutTrace(rollout, thrown);
  }
}

/** Takes everything back and throws why it was; or that it could not be. */
async function withoutTrace(rollout: Rollout, why: unknown): Promise<never> {
  const failed = await rollout.takeBack();
  if (failed.length === 0) throw why;
  const nodes = failed.map(({ node }) => node).join(", ");
  const { message } = toAppError(why);
  throw new AppError(
    "CONFLICT",
    `${message} ${nodes} could not be asked whether it runs what it ran before.`,
    {
      problem: notTakenBack,
      params: { nodes, says: message },
      cause: why,
    },
  );
}

async function carryOut(
  plan: RolloutPlan,
  rollout: Rollout,
  revisions: readonly WholeRevision[],
  context: RunContext,
): Promise<void> {
  const steps = 5;
  context.progress("compile", 0, steps);
  await rollout.look();
  const canary = plan.nodes.find(({ node }) => node === plan.canary);
  // What is normal on it is watched while the others are busy with compiling.
  const normal = canary === undefined ? null : normalOf(canary, plan, context);
  normal?.catch(() => {});
  const tests = await runTests(revisions, context);
  await rollout.stage();
  await rollout.compile();
  await context.saveCheckpoint({ ...kept(context), normal: await normal, tests } satisfies Checkpoint);
  if (canary !== undefined && kept(context).canary === null) await tryOn(canary, plan, rollout, context);
  context.commit();
  context.progress("rest", 3, steps);
  await all(
    plan.nodes.filter(({ already }) => !already),
    rollout.use,
  );
  context.progress("files", 4, steps);
  await rollout.place();
}

/** How the canary was before; after a crash it may serve the new one already. */
async function normalOf(canary: Node, { watchS }: RolloutPlan, context: RunContext): Promise<Window> {
  const { normal } = kept(context);
  return normal ?? watchNode(nodeCalled(canary.node), Math.min(watchS, beforeS), context.signal);
}

/** Serves it from one node and watches that. Throws CONFLICT when the node is worse than before. */
async function tryOn(canary: Node, plan: RolloutPlan, rollout: Rollout, context: RunContext): Promise<void> {
  const { normal } = kept(context);
  if (normal === null) return;
  await rollout.use(canary);
  const now = await watchNode(nodeCalled(canary.node), plan.watchS, context.signal, {
    bad: (window) => worseThan(normal, window) !== null,
    tell: (done) => context.progress("watch", done, plan.watchS),
  });
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
  node: Node,
  context: RunContext,
): Promise<RolloutEvidence["nodes"][number]> {
  const config = nodeCalled(node.node);
  const before = node.before.revision ?? (await revisionWith(plan.cluster, node.before.hash));
  const common = { node: node.node, revision: node.revision, before };
  try {
    const running = await runningOn(config, context.signal);
    const file = await fileOf(config, node.hash);
    const served = running.hash === node.hash;
    if (served)
      await keepProved(plan.cluster, node.node, {
        revision: node.revision,
        hash: node.hash,
        changeId: context.changeId,
      });
    const ok = served && (file === "same" || file === "none");
    return { ...common, ok, active: running.name, hash: running.hash, file, problem: null };
  } catch (error) {
    const says = toAppError(error).message;
    const problem = tellProblem(error, { problem: "health.failed", params: { says } });
    return { ...common, ok: false, active: null, hash: null, file: "none", problem };
  }
}

/** What stands in a node's file, compared with the text of this hash. Never throws. */
export async function fileOf(
  { vcl_path: path }: VclNodeConfig,
  hash: string,
): Promise<RolloutEvidence["nodes"][number]["file"]> {
  if (path === undefined) return "none";
  try {
    const text = await readVclFile(path);
    if (text === null) return "missing";
    return hashOf(text) === hash ? "same" : "other";
  } catch {
    return "unreadable";
  }
}

/** Lets go of older VCLs of ours: each keeps memory and its backends' probes. The one before stays, for a quick way back by hand. */
async function tidy(node: Node, context: RunContext): Promise<void> {
  const config = nodeCalled(node.node);
  for (const { name, status } of await vclList(config, context.signal)) {
    if (status !== "available" || name === node.before.name || !ownVcl.test(name)) continue;
    await vclDiscard(config, name, context.signal);
  }
}

export const rolloutKind: ChangeKind<RolloutInput, RolloutPlan, RolloutEvidence> = {
  kind: rolloutKindName,
  input: rolloutInput,
  plan: rolloutPlan,
  evidence: rolloutEvidence,
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
    const nodes = await Promise.all(plan.nodes.map((node) => proveNode(plan, node, context)));
    const ok = nodes.every((node) => node.ok);
    if (ok) await Promise.all(plan.nodes.map((node) => tidy(node, context).catch(() => {})));
    const { canary, tests } = kept(context);
    return { ok, outcome: ok ? "live" : "otherwise", evidence: { nodes, canary, tests } };
  },

  undo({ plan, evidence }) {
    // Without evidence nothing was left of it.
    if (evidence === null) return null;
    const revisions: Record<string, number> = {};
    for (const { node, before, revision } of evidence.nodes)
      if (before !== null && before !== revision) revisions[node] = before;
    if (Object.keys(revisions).length === 0) return null;
    return {
      kind: rolloutKindName,
      // At once: what ran before needs no trial.
      input: { cluster: plan.cluster, revisions, canary: null, watchS: 0 } satisfies RolloutInput,
    };
  },
};
