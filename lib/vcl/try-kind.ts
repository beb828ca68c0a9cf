// A revision tried in one person's browser, on the real nodes: everybody else goes on getting what they got. And the end of it.
import { requireRole } from "../auth/permissions";
import { type ChangeKind, notTakenBack, type RunContext } from "../changes/kind";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { exchange } from "../systems/exchange";
import { vclUse } from "../systems/varnish/cli";
import { flatten } from "./flatten";
import { hasCli, nodeCalled, nodesOf } from "./nodes";
import { revisionWith, wholeRevision } from "./revisions";
import { activeName, runningOn } from "./running";
import { pageName, pagesOf } from "./signals";
import {
  type TryEndEvidence,
  type TryEndInput,
  type TryEndPlan,
  type TryEvidence,
  type TryInput,
  type TryPlan,
  tryEndEvidence,
  tryEndInput,
  tryEndPlan,
  tryEvidence,
  tryInput,
  tryPlan,
} from "./try/contract";
import { close, prepare, sweep } from "./try-nodes";
import {
  due,
  ended,
  hasEnded,
  keepTrial,
  opened,
  presentTrial,
  refuseSecond,
  type StoredTrial,
} from "./try-store";
import { changesVcl, namesOf, tryHeader, tryName } from "./try-text";

export const tryKindName = "vcl.try";
export const tryEndKindName = "vcl.tryEnd";

const changed = (node: string) =>
  new AppError("CONFLICT", `${node} runs another VCL than when it was looked at: look at it again.`, {
    problem: "vcl.changed",
    params: { node },
  });

async function planTry(input: TryInput, signal: AbortSignal): Promise<TryPlan> {
  const { cluster, revision, minutes, expected } = input;
  const all = nodesOf(cluster);
  const nodes = all.filter(hasCli);
  if (nodes.length === 0)
    throw new AppError("NOT_CONFIGURED", `No node of ${cluster} has a management address.`, {
      problem: "varnish.noAdmin",
      params: { node: all.map(({ name }) => name).join(", ") },
    });
  const { files, text } = await wholeRevision(cluster, revision);
  const [missing] = flatten(files).foreign;
  if (missing !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `Revision ${revision} includes ${missing.path}, which is none of its files.`,
      {
        problem: "vcl.includeMissing",
        params: { number: revision, path: missing.path },
        field: "revision",
      },
    );
  if (changesVcl(text))
    throw new AppError("INVALID_INPUT", `Revision ${revision} changes to another VCL itself.`, {
      problem: "vcl.tryChanges",
      params: { number: revision },
      field: "revision",
    });
  await refuseSecond(cluster, null);
  return {
    cluster,
    revision,
    minutes,
    nodes: await Promise.all(
      nodes.map(async (node) => {
        const { name, hash } = await runningOn(node, signal);
        if (expected !== undefined && expected[node.name] !== hash) throw changed(node.name);
        return { node: node.name, before: { name, hash, revision: await revisionWith(cluster, hash) } };
      }),
    ),
    without: all.filter((node) => !hasCli(node)).map(({ name }) => name),
  };
}

/** Does something with each node at once; throws the first failure when all have ended. */
async function each(plan: TryPlan, act: (node: TryPlan["nodes"][number]) => Promise<void>): Promise<void> {
  const done = await Promise.allSettled(plan.nodes.map(act));
  const failed = done.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

const isStopping = (signal: AbortSignal): boolean =>
  signal.aborted && toAppError(signal.reason).detail.problem === "stopping";

async function apply(plan: TryPlan, context: RunContext): Promise<void> {
  const { cluster, revision, minutes } = plan;
  const trial = await keepTrial(context.changeId, { cluster, revision, minutes, owner: context.actor });
  try {
    await open(plan, trial, context);
  } catch (thrown) {
    // The next start takes it up where it is.
    if (isStopping(context.signal)) throw thrown;
    await leaveNothing(plan, context.changeId, thrown);
  }
}

async function open(plan: TryPlan, { token, enter }: StoredTrial, context: RunContext): Promise<void> {
  const { changeId: change, signal } = context;
  const { text } = await wholeRevision(plan.cluster, plan.revision);
  const { top } = namesOf(change);
  context.progress("compile", 0, 2);
  await each(plan, async ({ node, before }) => {
    const config = nodeCalled(node);
    const running = await runningOn(config, signal);
    if (running.hash !== before.hash) throw changed(node);
    // What another trial could not let go of.
    await sweep(config, (name) => tryName.exec(name)?.[1] !== String(change));
    const door = { change, base: running.name, token, enter, seconds: plan.minutes * 60 };
    await prepare(config, door, { text, revision: plan.revision }, signal);
    context.log("info", "vcl.compiled", { node, number: plan.revision });
  });
  // Every node has compiled it: what remains is at once.
  context.commit();
  context.progress("open", 1, 2);
  await each(plan, ({ node }) => vclUse(nodeCalled(node), top, signal));
  await opened(change, plan.minutes);
}

/** Closes it on each node; gives those where that could not be done, with why. */
async function closeAll(
  nodes: readonly string[],
  change: number,
): Promise<{ node: string; error: AppError }[]> {
  const failed: { node: string; error: AppError }[] = [];
  await Promise.all(
    nodes.map(async (node) => {
      try {
        await close(nodeCalled(node), change);
      } catch (thrown) {
        failed.push({ node, error: toAppError(thrown) });
      }
    }),
  );
  return failed;
}

/** Takes everything back and throws why it was; or that it could not be. */
async function leaveNothing(plan: TryPlan, change: number, why: unknown): Promise<never> {
  const failed = await closeAll(
    plan.nodes.map(({ node }) => node),
    change,
  );
  if (failed.length === 0) {
    await ended(change);
    throw why;
  }
  await due(change);
  const nodes = failed.map(({ node }) => node).join(", ");
  const { message } = toAppError(why);
  throw new AppError(
    "CONFLICT",
    `${message} ${nodes} could not be asked whether it runs what it ran before.`,
    {
      problem: notTakenBack,
      params: { what: nodes, says: message },
      cause: why,
    },
  );
}

/** A page of a node as somebody gets it: by the trial's secret, or without. */
async function asked(node: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  const config = nodeCalled(node);
  const [page] = pagesOf(config);
  const answer = await exchange({
    base: config.url,
    host: page?.host,
    path: page?.path ?? "/",
    headers,
    timeoutMs: config.timeout,
    signal,
  });
  return { status: answer.status, revision: answer.headers[tryHeader.toLowerCase()] ?? null };
}

async function proveNode(
  node: string,
  { token, revision }: StoredTrial,
  signal: AbortSignal,
): Promise<TryEvidence["nodes"][number]> {
  const [page] = pagesOf(nodeCalled(node));
  const common = { node, page: page === undefined ? "/" : pageName(page) };
  try {
    const mine = await asked(node, { [tryHeader]: token }, signal);
    const others = await asked(node, {}, signal);
    const ok = mine.revision === `r${revision}` && others.revision === null;
    return { ...common, ok, with: mine, without: others, problem: null };
  } catch (error) {
    const params = { says: toAppError(error).message };
    const problem = tellProblem(error, { problem: "health.failed", params });
    return { ...common, ok: false, with: null, without: null, problem };
  }
}

export const tryKind: ChangeKind<TryInput, TryPlan, TryEvidence> = {
  kind: tryKindName,
  input: tryInput,
  plan: tryPlan,
  evidence: tryEvidence,
  seen: "operator",
  // Each step looks first whether it is done.
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  makePlan: (input, { signal }) => planTry(input, signal),
  describe: (plan) => ({
    title: `${plan.cluster}: r${plan.revision}`,
    site: null,
    level: "reversible",
    targets: plan.nodes.map(({ node }) => `varnish:${node}`),
  }),
  apply,

  async verify(plan, { changeId, signal }) {
    const trial = await presentTrial(plan.cluster);
    const nodes =
      trial?.changeId === changeId
        ? await Promise.all(plan.nodes.map(({ node }) => proveNode(node, trial, signal)))
        : [];
    const ok = nodes.length > 0 && nodes.every((node) => node.ok);
    if (!ok) {
      // What cannot be seen to serve only this person is not left open.
      const left = await closeAll(
        plan.nodes.map(({ node }) => node),
        changeId,
      );
      await (left.length === 0 ? ended(changeId) : due(changeId));
    }
    return { ok, outcome: ok ? "tried" : "otherwise", evidence: { change: changeId, nodes } };
  },

  undo: ({ plan, evidence }) =>
    evidence === null || !evidence.nodes.every(({ ok }) => ok)
      ? null
      : {
          kind: tryEndKindName,
          input: { cluster: plan.cluster, change: evidence.change, why: "hand" } satisfies TryEndInput,
        },
};

export const tryEndKind: ChangeKind<TryEndInput, TryEndPlan, TryEndEvidence> = {
  kind: tryEndKindName,
  input: tryEndInput,
  plan: tryEndPlan,
  evidence: tryEndEvidence,
  seen: "operator",
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  async makePlan(input) {
    const trial = await presentTrial(input.cluster);
    if (trial?.changeId !== input.change) throw hasEnded(input.change, input.cluster);
    const nodes = nodesOf(input.cluster).filter(hasCli);
    return { ...input, revision: trial.revision, nodes: nodes.map(({ name }) => name) };
  },
  describe: (plan) => ({
    title: `${plan.cluster}: r${plan.revision}`,
    site: null,
    level: "reversible",
    targets: plan.nodes.map((node) => `varnish:${node}`),
  }),

  async apply(plan, context) {
    context.commit();
    context.log("info", `vcl.tryEnds.${plan.why}`);
    for (const { node, error } of await closeAll(plan.nodes, plan.change))
      context.log("warn", "vcl.notAsked", { node, says: error.message });
  },

  async verify(plan, { signal }) {
    const { top } = namesOf(plan.change);
    const nodes = await Promise.all(
      plan.nodes.map(async (node): Promise<TryEndEvidence["nodes"][number]> => {
        try {
          const active = await activeName(nodeCalled(node), signal);
          return { node, ok: active !== top, active, problem: null };
        } catch (error) {
          const params = { says: toAppError(error).message };
          const problem = tellProblem(error, { problem: "health.failed", params });
          return { node, ok: false, active: null, problem };
        }
      }),
    );
    const ok = nodes.every((node) => node.ok);
    await (ok ? ended(plan.change) : due(plan.change));
    return { ok, outcome: ok ? "expired" : "otherwise", evidence: { nodes } };
  },
};
