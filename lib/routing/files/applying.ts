// One change of a Traefik's files at work: looks how everything is, writes, waits, asks, watches, and can put everything back.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import { type ErrorCode, errorStatus } from "../../errors/codes";
import { log } from "../../runtime/log";
import { overviewOf } from "../../systems/traefik/overview";
import { hasMiddleware } from "../../systems/traefik/shown";
import { type ApplyEvidence, type ApplyPlan, applyEvidence, type ConfigFile } from "./contract";
import { type Held, rejectedIn } from "./directory";
import { dropLeftOf, heldBy, markerOf, shownName, stageFor } from "./holder";
import { firstMarkerName, hashOf, markerFile, markerName } from "./marker";
import { keepFound, type WholeRevision, wholeRevision } from "./revisions";
import { type TraefikServerConfig, traefikCalled } from "./servers";
import {
  askAll,
  disabledIn,
  type Part,
  type Probed,
  probeAgain,
  watchRequests,
  windowShape,
  worseThan,
} from "./signals";

/** How long requests are counted before, at most: what was normal. */
const beforeS = 10;
/** Traefik takes files up every 2 s (providersThrottleDuration), and asks its HTTP provider every 5 s. */
const shownWithinMs = 20_000;
const lookEveryMs = 250;

const probedShape = applyEvidence.shape.probes;
const checkpointShape = z.object({
  /** Which files are in their places, or on their way there. */
  places: z.enum(["before", "new"]),
  /** What was placed was put back. */
  tookBack: z.boolean(),
  /** The revision, and the mark's file, that were there before. */
  before: z.object({ revision: z.int().nullable(), marker: z.string().nullable() }),
  statuses: z.array(z.object({ url: z.string(), status: z.int().nullable() })),
  disabled: z.array(z.string()),
  normal: windowShape.nullable(),
  tookMs: z.int().nullable(),
  probes: probedShape,
  watched: windowShape.nullable(),
  /** Why everything is being put back: after a crash it does not go forward again. */
  takingBack: z
    .object({
      code: z.custom<ErrorCode>((code) => typeof code === "string" && code in errorStatus),
      message: z.string(),
      problem: z.string().optional(),
      params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    })
    .nullable(),
});
export type Checkpoint = z.infer<typeof checkpointShape>;

/** What was kept before a crash; null where nothing was. */
export function kept({ checkpoint }: RunContext): Checkpoint | null {
  const read = checkpointShape.safeParse(checkpoint);
  return read.success ? read.data : null;
}

/** That somebody changed the files meanwhile. */
export const changed = (traefik: string) =>
  new AppError("CONFLICT", `The files of ${traefik} are others than when they were looked at.`, {
    problem: "routing.changed",
    params: { traefik },
  });

const disabled = ([first, ...more]: readonly Part[]) =>
  new AppError("CONFLICT", `Traefik put ${first?.name} out of service: ${first?.says}`, {
    problem: "routing.worse.disabled",
    params: { name: first?.name ?? "", says: first?.says ?? "", more: more.length },
  });

const notShown = ({ name }: TraefikServerConfig) =>
  new AppError("CONFLICT", `${name} rejected the files, or does not read where Sluice writes.`, {
    problem: "routing.notShown",
    params: { traefik: name, seconds: shownWithinMs / 1000 },
  });

/** What one change has in its hands; everything that it can put back. */
export class Applying {
  readonly #server: TraefikServerConfig;
  #state: Checkpoint;

  constructor(
    private readonly plan: ApplyPlan,
    private readonly context: RunContext,
    private readonly revision: WholeRevision,
    state: Checkpoint,
  ) {
    this.#server = traefikCalled(plan.traefik);
    this.#state = state;
  }

  /** Takes up what was kept, or looks how everything is before. Throws CONFLICT when the files are others than planned. */
  static async begin(plan: ApplyPlan, context: RunContext): Promise<Applying> {
    const revision = await wholeRevision(plan.traefik, plan.revision);
    const known = kept(context);
    const server = traefikCalled(plan.traefik);
    if (known !== null) {
      const names = [...revision.files, ...(await filesBefore(plan, known))].map(({ name }) => name);
      await dropLeftOf(server, names, markOf(context));
      if (known.places === "new" || known.takingBack !== null)
        return new Applying(plan, context, revision, known);
    }
    const held = await heldBy(server);
    if (hashOf(held.files) !== plan.before.hash) throw changed(plan.traefik);
    // A way back; over HTTP there is none to nothing.
    const nothing = held.files.length === 0 && held.marker === null;
    const before = nothing && plan.by === "http" ? null : await keepFound(plan.traefik, held.files);
    const [overview, statuses, normal] = await Promise.all([
      overviewOf(server),
      askAll(server, plan.probes, context.signal),
      plan.watchS === 0
        ? null
        : watchRequests(server, Math.min(beforeS, plan.watchS), plan.expects503, context.signal),
    ]);
    const state: Checkpoint = {
      places: "before",
      tookBack: false,
      before: { revision: before, marker: held.marker?.text ?? null },
      statuses,
      disabled: disabledIn(overview).map(({ name }) => name),
      normal,
      tookMs: null,
      probes: [],
      watched: null,
      takingBack: null,
    };
    await context.saveCheckpoint(state);
    return new Applying(plan, context, revision, state);
  }

  async #keep(more: Partial<Checkpoint>): Promise<void> {
    this.#state = { ...this.#state, ...more };
    await this.context.saveCheckpoint(this.#state);
  }

  /** Why everything was being put back when Sluice ended; null: it was not. */
  get takingBack(): AppError | null {
    const why = this.#state.takingBack;
    if (why === null) return null;
    const { code, message, problem, params } = why;
    return new AppError(code, message, {
      ...(problem === undefined ? {} : { problem }),
      ...(params === undefined ? {} : { params }),
    });
  }

  /** The last mark, and the one before it. */
  get #marks(): { readonly first: string; readonly last: string } {
    const { revision, hash } = this.plan;
    return {
      first: firstMarkerName(revision, hash, this.context.changeId),
      last: markerName(revision, hash, this.context.changeId),
    };
  }

  /** Brings the new files to their places, with a mark. Throws CONFLICT where somebody else's are there meanwhile. */
  async #write(marker: string): Promise<void> {
    const held = await heldBy(this.#server);
    if (!isBetween(held, await filesBefore(this.plan, this.#state), this.revision.files))
      throw changed(this.plan.traefik);
    const staged = await stageFor(
      this.#server,
      held,
      this.revision.files,
      markerFile(marker),
      markOf(this.context),
    );
    try {
      this.context.signal.throwIfAborted();
      // From here on there may be some of the new ones.
      await this.#keep({ places: "new" });
      await staged.place();
    } finally {
      await staged.drop();
    }
  }

  /** Brings the new files to their places. Throws AppError. */
  async place(): Promise<void> {
    await this.#write(this.#marks.first);
    this.context.log("info", "routing.placed", { number: this.plan.revision });
  }

  /** Waits until Traefik shows the mark. Throws CONFLICT when it does not, and what Traefik answered last where it does not answer. */
  async shown(): Promise<void> {
    const begun = Date.now();
    const { first, last } = this.#marks;
    // What is served over HTTP is one document, and read whole.
    if (this.plan.by === "directory") {
      await waitFor(this.#server, { name: first, there: true }, this.context.signal);
      await this.#write(last);
    }
    await waitFor(this.#server, { name: last, there: true }, this.context.signal);
    await this.#keep({ tookMs: this.#state.tookMs ?? Date.now() - begun });
    this.context.log("info", "routing.shown", { number: this.plan.revision, ms: Date.now() - begun });
  }

  /** Throws CONFLICT when Traefik has put something out of service that was in it. */
  async nothingDisabled(): Promise<void> {
    const parts = newlyDisabled(disabledIn(await overviewOf(this.#server)), this.#state.disabled);
    if (parts.length > 0) throw disabled(parts);
  }

  /** Throws CONFLICT when an address fails that did not. */
  async probesHold(): Promise<readonly Probed[]> {
    const { expects503, guarded, asked } = this.plan;
    // Who may lose a guard was asked about.
    const may = { expects503, opens: guarded.length > 0, asked };
    const probes = await probeAgain(this.#server, this.#state.statuses, may, this.context.signal);
    const bad = probes.find(({ ok }) => !ok);
    if (bad === undefined) return probes;
    throw new AppError(
      "CONFLICT",
      `${bad.url} answers ${bad.after ?? "nothing"}, and ${bad.before} before.`,
      {
        problem: `routing.worse.${worseBy(bad)}`,
        params: { url: bad.url, before: bad.before ?? 0, after: bad.after ?? 0 },
      },
    );
  }

  /** Watches for the time that was asked for. Throws CONFLICT when much more fails than before. */
  async watch(): Promise<void> {
    let probes = await this.probesHold();
    const { watchS, expects503 } = this.plan;
    const { normal } = this.#state;
    const watched =
      watchS === 0
        ? null
        : await watchRequests(this.#server, watchS, expects503, this.context.signal, async (window, done) => {
            this.context.progress("watchTraefik", done, watchS);
            if (worseThan(normal, window)) return true;
            probes = await this.probesHold();
            return false;
          });
    if (worseThan(normal, watched))
      throw new AppError("CONFLICT", `${watched?.errors} of ${watched?.requests} requests failed with 5xx.`, {
        problem: "routing.worse.errors",
        params: { errors: watched?.errors ?? 0, requests: watched?.requests ?? 0 },
      });
    await this.#keep({ probes: [...probes], watched });
  }

  /** What the files and Traefik say, while there is a way back. Throws CONFLICT when that is not what it should be, and as `proofOf`. */
  async prove(): Promise<void> {
    const { files, faults, shown } = await proofOf(this.plan, this.context, this.#state.disabled);
    if (files !== "same") throw changed(this.plan.traefik);
    if (faults.length > 0) throw disabled(faults);
    if (!shown) throw notShown(this.#server);
  }

  /** Everything as it was before, and seen so in Traefik, where it answers. Throws AppError when that cannot be had. */
  async takeBack(why: unknown): Promise<void> {
    // It may have come to its places before Sluice ended, and not been seen there.
    if (this.#state.places === "before" && !this.#state.tookBack) return;
    const { code, message, detail } = toAppError(why);
    const { problem, params } = detail;
    await this.#keep({ takingBack: { code, message, problem, params } }).catch((error: unknown) =>
      log.warn({ err: error, changeId: this.context.changeId }, "checkpoint not saved"),
    );
    const held = await heldBy(this.#server);
    const files = await filesBefore(this.plan, this.#state);
    if (!isBetween(held, files, this.revision.files)) throw changed(this.plan.traefik);
    const { marker: text } = this.#state.before;
    const marker = text === null ? null : { ...markerFile(""), text };
    const staged = await stageFor(this.#server, held, files, marker, markOf(this.context));
    try {
      await staged.place();
    } finally {
      await staged.drop();
    }
    await this.#keep({ places: "before", tookBack: true });
    this.context.log("warn", "routing.tookBack");
    const [rejected] = rejectedIn({ files, apart: held.apart });
    // Their places have them again; Traefik goes on with the new ones.
    if (rejected !== undefined)
      throw new AppError("CONFLICT", `${this.plan.traefik} takes nothing of the files before.`, {
        problem: "routing.rejected",
        params: { traefik: this.plan.traefik, file: rejected.file, line: rejected.line },
      });
    const before = markerOf(await heldBy(this.#server));
    const wanted =
      before === null
        ? Object.values(this.#marks).map((name) => ({ name, there: false }))
        : [{ name: before, there: true }];
    try {
      for (const one of wanted) await waitFor(this.#server, one, new AbortController().signal);
    } catch (error) {
      const { code, message, detail } = toAppError(error);
      if (detail.problem === "routing.notShown") throw error;
      // It reads them when it comes back.
      this.context.log("warn", "routing.backUnseen", { code, says: message });
    }
  }
}

/** What a change's files are called while they wait beside their places. */
const markOf = ({ changeId }: RunContext): string => `sluice-${changeId}`;

/** The files that were there before. */
async function filesBefore({ traefik }: ApplyPlan, { before }: Checkpoint): Promise<readonly ConfigFile[]> {
  return before.revision === null ? [] : (await wholeRevision(traefik, before.revision)).files;
}

const worseBy = ({ before, after }: Probed): "silent" | "open" | "missing" | "probe" => {
  if (after === null) return "silent";
  if (after < 400) return "open";
  return after === 404 && (before === null || before === 404) ? "missing" : "probe";
};

export type Proof = Pick<ApplyEvidence, "files" | "shown" | "faults">;

/**
 * What the files and Traefik say now; a Traefik that does not answer, or does not show the mark, is asked again for 20 s. Throws AppError
 * as it answered last, and what the signal was aborted with.
 */
export async function proofOf(
  plan: ApplyPlan,
  { changeId, signal }: RunContext,
  before: readonly string[],
): Promise<Proof> {
  const server = traefikCalled(plan.traefik);
  const mark = shownName(server, markerName(plan.revision, plan.hash, changeId));
  const look = async (): Promise<Proof> => ({
    files: hashOf((await heldBy(server)).files) === plan.hash ? "same" : "other",
    shown: await hasMiddleware(server, mark, signal),
    faults: newlyDisabled(disabledIn(await overviewOf(server)), before),
  });
  const until = Date.now() + shownWithinMs;
  for (;;) {
    const late = Date.now() > until;
    try {
      const proof = await look();
      if (proof.shown || proof.files !== "same" || late) return proof;
    } catch (error) {
      signal.throwIfAborted();
      if (late) throw error;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** Whether nothing is there but what was before or comes now: a change that was cut off, and no other hand. */
function isBetween(held: Held, before: readonly ConfigFile[], now: readonly ConfigFile[]): boolean {
  const may = new Set([...before, ...now].map(({ name, text }) => `${name}\n${text}`));
  const always = before.filter(({ name }) => now.some((one) => one.name === name));
  const names = new Set(held.files.map(({ name }) => name));
  return (
    held.files.every(({ name, text }) => may.has(`${name}\n${text}`)) &&
    always.every(({ name }) => names.has(name))
  );
}

/** What is out of service now, and was not before. */
export const newlyDisabled = (now: readonly Part[], before: readonly string[]): Part[] =>
  now.filter(({ name }) => !before.includes(name));

/** Waits until Traefik shows a mark, or shows it no more. Throws CONFLICT, and as `hasMiddleware`. */
async function waitFor(
  server: TraefikServerConfig,
  { name, there }: { readonly name: string; readonly there: boolean },
  signal: AbortSignal,
): Promise<void> {
  const until = Date.now() + shownWithinMs;
  let failure: unknown = null;
  for (;;) {
    try {
      if ((await hasMiddleware(server, shownName(server, name), signal)) === there) return;
      failure = null;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
    if (Date.now() > until) break;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
  if (failure !== null) throw failure;
  throw notShown(server);
}
