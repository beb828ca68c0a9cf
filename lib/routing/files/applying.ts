// One change of a Traefik's files at work: looks how everything is, writes, waits, asks, watches, and can put everything back.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import { overviewOf } from "../../systems/traefik/overview";
import { hasMiddleware } from "../../systems/traefik/shown";
import { type ApplyPlan, applyEvidence, type ConfigFile } from "./contract";
import { type Held, rejectedIn } from "./directory";
import { heldBy, markerOf, shownName, stageFor } from "./holder";
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
    if (known?.places === "new") return new Applying(plan, context, revision, known);
    const server = traefikCalled(plan.traefik);
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
    };
    await context.saveCheckpoint(state);
    return new Applying(plan, context, revision, state);
  }

  async #keep(more: Partial<Checkpoint>): Promise<void> {
    this.#state = { ...this.#state, ...more };
    await this.context.saveCheckpoint(this.#state);
  }

  get #mark(): string {
    return `sluice-${this.context.changeId}`;
  }
  /** The last mark, and the one before it. */
  get #marks(): { readonly first: string; readonly last: string } {
    const { revision, hash } = this.plan;
    return {
      first: firstMarkerName(revision, hash, this.context.changeId),
      last: markerName(revision, hash, this.context.changeId),
    };
  }

  /** The files that were there before. */
  async #before(): Promise<readonly ConfigFile[]> {
    const { revision } = this.#state.before;
    return revision === null ? [] : (await wholeRevision(this.plan.traefik, revision)).files;
  }

  /** Brings the new files to their places, with a mark. Throws CONFLICT where somebody else's are there meanwhile. */
  async #write(marker: string): Promise<void> {
    const held = await heldBy(this.#server);
    if (!isBetween(held, await this.#before(), this.revision.files)) throw changed(this.plan.traefik);
    const staged = await stageFor(this.#server, held, this.revision.files, markerFile(marker), this.#mark);
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
    const [first, ...more] = newlyDisabled(disabledIn(await overviewOf(this.#server)), this.#state.disabled);
    if (first === undefined) return;
    throw new AppError("CONFLICT", `Traefik put ${first.name} out of service: ${first.says}`, {
      problem: "routing.worse.disabled",
      params: { name: first.name, says: first.says, more: more.length },
    });
  }

  /** Throws CONFLICT when an address fails that did not. */
  async probesHold(): Promise<readonly Probed[]> {
    const { statuses } = this.#state;
    const probes = await probeAgain(this.#server, statuses, this.plan.expects503, this.context.signal);
    const bad = probes.find(({ ok }) => !ok);
    if (bad === undefined) return probes;
    throw new AppError(
      "CONFLICT",
      `${bad.url} answers ${bad.after ?? "nothing"}, and ${bad.before} before.`,
      {
        problem: bad.after === null ? "routing.worse.silent" : "routing.worse.probe",
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

  /** Everything as it was before, and seen so in Traefik, where it answers. Throws AppError when that cannot be had. */
  async takeBack(): Promise<void> {
    if (this.#state.places === "before") return;
    const held = await heldBy(this.#server);
    const files = await this.#before();
    if (!isBetween(held, files, this.revision.files)) throw changed(this.plan.traefik);
    const ours = markerOf(held) ?? this.#marks.last;
    const { marker: text } = this.#state.before;
    const marker = text === null ? null : { ...markerFile(""), text };
    const staged = await stageFor(this.#server, held, files, marker, this.#mark);
    try {
      await staged.place();
    } finally {
      await staged.drop();
    }
    await this.#keep({ places: "before", tookBack: true });
    this.context.log("warn", "routing.tookBack");
    // What Traefik would not take it cannot show; it goes on with what it had.
    if (rejectedIn({ files, apart: held.apart }).length > 0) return;
    const before = markerOf(await heldBy(this.#server));
    const wanted = before === null ? { name: ours, there: false } : { name: before, there: true };
    try {
      await waitFor(this.#server, wanted, new AbortController().signal);
    } catch (error) {
      const { code, message, detail } = toAppError(error);
      if (detail.problem === "routing.notShown") throw error;
      // It reads them when it comes back.
      this.context.log("warn", "routing.backUnseen", { code, says: message });
    }
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
  throw new AppError("CONFLICT", `${server.name} rejected the files, or does not read where Sluice writes.`, {
    problem: "routing.notShown",
    params: { traefik: server.name, seconds: shownWithinMs / 1000 },
  });
}
