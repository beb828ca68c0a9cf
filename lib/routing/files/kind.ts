// A revision of Traefik's files put in force: written whole, seen in Traefik, asked and watched; else everything is put back.
import { requireRole } from "../../auth/permissions";
import { type ChangeKind, notTakenBack, type RunContext } from "../../changes/kind";
import { AppError, tellProblem, toAppError } from "../../errors/app-error";
import { overviewOf } from "../../systems/traefik/overview";
import { checkFiles } from "../analysis/check";
import { Applying, type Checkpoint, changed, kept, proofOf } from "./applying";
import {
  type ApplyEvidence,
  type ApplyInput,
  type ApplyPlan,
  applyEvidence,
  applyInput,
  applyPlan,
  type FilesChecked,
} from "./contract";
import { stepsBetween } from "./directory";
import { heldBy } from "./holder";
import { checkServable } from "./http-provider";
import { keepEnds, switchedOn } from "./maintenance";
import { hashOf } from "./marker";
import { keepProved, revisionWith, wholeRevision } from "./revisions";
import { applyKindName, byOf, noWay, targetOf, traefikCalled } from "./servers";
import { checkProbes, shareOf, sitePages, type Window } from "./signals";

const refuse = (
  message: string,
  problem: string,
  params: Readonly<Record<string, string | number>>,
  field?: string,
) => new AppError("REFUSED", message, { problem, params, ...(field === undefined ? {} : { field }) });

/** Throws AppError REFUSED for what Traefik would make of it: the first new error, and a guard that would be out of the way. */
function judge({ problems, guarded, problem }: FilesChecked, input: ApplyInput): void {
  // Without Traefik's word there is no proof either.
  if (problem !== null)
    throw refuse(`${input.traefik} does not tell what is in force.`, problem.problem, problem.params);
  const rejected = problems.find(({ effect }) => effect === "rejected");
  const error = rejected ?? problems.find(({ severity, known }) => severity === "error" && !known);
  if (error !== undefined)
    throw refuse(
      `${error.file}:${error.line}:${error.column}: ${error.code}.`,
      rejected === undefined ? "routing.invalid" : "routing.rejects",
      { file: error.file, line: error.line, column: error.column, code: error.code },
      "revision",
    );
  const guard =
    guarded.find(({ refused }) => refused) ??
    guarded.find(({ router }) => !input.acceptAll && !input.accepted.includes(router));
  if (guard !== undefined)
    throw refuse(
      `${guard.router} guards with ${guard.middlewares.join(", ")}, and would be ${guard.how}.`,
      `routing.guard.${guard.how}`,
      {
        router: guard.router,
        count: guard.middlewares.length,
        middlewares: guard.middlewares.join(", "),
        falls: guard.falls ?? "404",
        example: guard.example ?? "",
      },
      "accepted",
    );
}

async function planApply(input: ApplyInput, signal: AbortSignal): Promise<ApplyPlan> {
  const server = traefikCalled(input.traefik);
  const by = byOf(server);
  if (by === "none") throw noWay(server);
  const { number, files, hash } = await wholeRevision(server.name, input.revision);
  const held = await heldBy(server);
  const before = hashOf(held.files);
  if (input.expected !== undefined && input.expected !== before) throw changed(server.name);
  const apart = held.apart.find(({ name }) => files.some((file) => file.name === name));
  if (apart !== undefined)
    throw refuse(`${apart.name} is not written.`, "routing.apart", { file: apart.name }, "revision");
  if (by === "http") checkServable(files);
  checkProbes(server, input.probes);
  const others = held.apart.map(({ name, text }) => ({ name, text }));
  const checked = await checkFiles(server, [...files, ...others], [...held.files, ...others], signal);
  judge(checked, input);
  const probes = new Set([...input.probes, ...sitePages(server, await overviewOf(server))]);
  const { writes, removes } = stepsBetween(held.files, files);
  return {
    traefik: server.name,
    by,
    revision: number,
    hash,
    before: { hash: before, revision: await revisionWith(server.name, before) },
    already: hash === before,
    writes: writes.map(({ name }) => name),
    removes,
    differences: checked.differences,
    guarded: checked.guarded,
    impact: checked.impact,
    probes: [...probes],
    asked: input.probes,
    watchS: input.watchS,
    counters: server.metrics !== undefined,
    expects503: switchedOn(held.files, files),
  };
}

const isStopping = (signal: AbortSignal): boolean =>
  signal.aborted && toAppError(signal.reason).detail.problem === "stopping";

async function apply(plan: ApplyPlan, context: RunContext): Promise<void> {
  const steps = 4;
  context.progress("before", 0, steps);
  const applying = await Applying.begin(plan, context);
  const { takingBack } = applying;
  if (takingBack !== null) await withoutTrace(applying, plan, takingBack);
  try {
    context.progress("write", 1, steps);
    await applying.place();
    context.progress("shown", 2, steps);
    await applying.shown();
    await applying.nothingDisabled();
    context.progress("probe", 3, steps);
    await applying.watch();
    await applying.prove();
    context.commit();
  } catch (thrown) {
    // The next start takes it up where it is.
    if (isStopping(context.signal)) throw thrown;
    await withoutTrace(applying, plan, thrown);
  }
}

/** Puts everything back and throws why it was; or that it could not be. */
async function withoutTrace(applying: Applying, { traefik }: ApplyPlan, why: unknown): Promise<never> {
  try {
    await applying.takeBack(why);
  } catch (failed) {
    const { message } = toAppError(why);
    const says = toAppError(failed).message;
    throw new AppError("CONFLICT", `${message} ${traefik} could not be given its files back: ${says}`, {
      problem: notTakenBack,
      params: { what: traefik, says: `${message} ${says}`.slice(0, 500) },
      cause: why,
    });
  }
  throw why;
}

async function verify(plan: ApplyPlan, context: RunContext) {
  const state = kept(context);
  const evidence: ApplyEvidence = {
    shown: false,
    tookMs: state?.tookMs ?? null,
    faults: [],
    files: "unreadable",
    probes: state?.probes ?? [],
    watched: watchedOf(state),
    before: state?.before.revision ?? plan.before.revision,
    problem: null,
  };
  try {
    Object.assign(evidence, await proofOf(plan, context, state?.disabled ?? []));
  } catch (error) {
    evidence.problem = tellProblem(error, {
      problem: "health.failed",
      params: { says: toAppError(error).message },
    });
  }
  const ok = evidence.shown && evidence.files === "same" && evidence.faults.length === 0;
  if (ok) {
    const { files } = await wholeRevision(plan.traefik, plan.revision);
    await keepProved(plan.traefik, {
      revision: plan.revision,
      hash: plan.hash,
      changeId: context.changeId,
    });
    await keepEnds(plan.traefik, files, context.actor.name);
  }
  return { ok, outcome: ok ? "inForce" : "otherwise", evidence };
}

function watchedOf(state: Checkpoint | null): ApplyEvidence["watched"] {
  const watched: Window | null = state?.watched ?? null;
  if (watched === null) return null;
  const normal = state?.normal ?? null;
  return { ...watched, share: shareOf(watched), shareBefore: normal === null ? null : shareOf(normal) };
}

export const applyKind: ChangeKind<ApplyInput, ApplyPlan, ApplyEvidence> = {
  kind: applyKindName,
  input: applyInput,
  plan: applyPlan,
  evidence: applyEvidence,
  seen: "operator",
  // What is in its place already is left there.
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  makePlan: (input, { signal }) => planApply(input, signal),
  describe: (plan) => ({
    title: `${plan.traefik}: r${plan.revision}`,
    site: null,
    level: "disruptive",
    targets: [targetOf(plan.traefik)],
  }),
  apply,
  verify,
  undo({ plan, evidence }) {
    // Only while its files are there: whatever came after it is not thrown away unseen.
    // Without evidence nothing was left of it.
    if (evidence === null || evidence.before === null || evidence.before === plan.revision) return null;
    return {
      kind: applyKindName,
      // At once: what was there before needs no trial.
      input: {
        traefik: plan.traefik,
        revision: evidence.before,
        probes: [],
        watchS: 0,
        expected: plan.hash,
        accepted: [],
        acceptAll: true,
      } satisfies ApplyInput,
    };
  },
};
