// Another image for a container, as a Change: pulled, made again with the same settings, watched, and rolled back when it is not good.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { requireRole } from "../../auth/permissions";
import { type ChangeKind, notTakenBack, type RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import { type ErrorCode, errorStatus } from "../../errors/codes";
import { maskedText } from "../../errors/mask";
import {
  actOn,
  connectNetwork,
  createContainer,
  type Inspected,
  inspectContainer,
  type RestartPolicy,
  renameContainer,
  setRestartPolicy,
  stopMsOf,
  timeOf,
} from "../../systems/docker/containers";
import { readInfo } from "../../systems/docker/engine";
import { type ImageDetail, inspectImage, pullImage, tagImage } from "../../systems/docker/images";
import { type LogLine, readLog } from "../../systems/docker/logs";
import type { DockerEngine } from "../../systems/docker/target";
import { familiarName, parseReference } from "../../systems/oci/reference";
import { fingerprintOf, refuseChanged } from "../acts/kind";
import { isAway, patiently } from "../acts/patience";
import { recognise } from "../logs/level";
import { loginFor } from "../registries";
import { services } from "../service";
import {
  type DeployEvidence,
  type DeployInput,
  type DeployPlan,
  deployEvidence,
  deployInput,
  deployPlan,
} from "./contract";
import { planDeploy } from "./plan";
import { descriptionOf, differences } from "./recreate";

/** How long a container with a health check may take until it is healthy. */
const healthyMs = 300_000;
const pollMs = 500;
/** What goes back waits longer for an engine that is away: nobody else would do it. */
const backMs = 3_600_000;
/** What fails on the way back is tried again for so long. */
const againMs = 120_000;
/** The engine takes so long at most to remove a container that it is removing already. */
const removingMs = 60_000;
/** More error lines than this while it is watched, and three times those of before: it is not good. */
const fewErrors = 10;
const keptLines = 50;

const saved = z.object({
  /** Of the image it is made of, once that is on the host. */
  imageId: z.string().nullable(),
  /** What the tag named on the host before the pull; null when nothing. */
  tagged: z.string().nullable(),
  /** The new container, once it is made, and the image it says it is made of. */
  newId: z.string().nullable(),
  madeOf: z.string().nullable(),
  /** The old one as it was left before it was stopped: its restart policy, which it has not while it stands aside, and its start. */
  old: z
    .object({
      policy: z.object({ Name: z.string(), MaximumRetryCount: z.int().nullish() }).nullable(),
      startedAt: z.string(),
    })
    .nullable(),
  /** When the old one was asked to stop, and when the new one was started; ms. */
  stoppedAt: z.number().nullable(),
  startedAt: z.number().nullable(),
  errorsBefore: z.int(),
  differs: z.array(z.string()),
  verdict: z
    .object({
      good: z.boolean(),
      reason: z.string().nullable(),
      detail: z.string().nullable(),
      watchedMs: z.int(),
      errors: z.int(),
      lines: deployEvidence.shape.lines,
    })
    .nullable(),
  /** Why it is being taken back without a verdict: a step failed, or somebody cancelled. */
  givingUp: z
    .object({
      code: z.enum(Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
    })
    .nullable(),
});
type Saved = z.infer<typeof saved>;
type Judgement = NonNullable<Saved["verdict"]>;

/** One deploy at work. Every step looks at the engine first, so that each may be done again after a crash of ours or of it. */
class Deploy {
  readonly #plan: DeployPlan;
  readonly #context: RunContext;
  readonly #engine: DockerEngine;
  /** Aborts what may be given up; what must be done whole goes on without it. */
  #signal: AbortSignal;
  #patienceMs: number | undefined;
  state: Saved;

  constructor(plan: DeployPlan, context: RunContext) {
    this.#plan = plan;
    this.#context = context;
    this.#engine = services().host(plan.host).engine;
    this.#signal = context.signal;
    const before = saved.safeParse(context.checkpoint);
    this.state = before.success
      ? before.data
      : {
          imageId: null,
          tagged: null,
          newId: null,
          madeOf: null,
          old: null,
          stoppedAt: null,
          startedAt: null,
          errorsBefore: 0,
          differs: [],
          verdict: null,
          givingUp: null,
        };
  }

  get #name(): string {
    return this.#plan.container.name;
  }
  get #nextName(): string {
    return `${this.#name}.next-${this.#context.changeId}`;
  }
  get #oldName(): string {
    return `${this.#name}.before-${this.#context.changeId}`;
  }

  get #failedName(): string {
    return `${this.#name}.failed-${this.#context.changeId}`;
  }

  async run(): Promise<void> {
    const { givingUp } = this.state;
    // A crash came while it was being taken back.
    if (givingUp !== null) return this.#giveUp(new AppError(givingUp.code, givingUp.message));
    if (this.state.verdict === null) {
      try {
        await this.#image();
        await this.#create();
        await this.#switch();
        const verdict = await this.#watch();
        this.#context.commit();
        await this.#save({ verdict });
      } catch (error) {
        // Sluice itself stops: the next start goes on from here.
        if (this.#isStopping()) throw error;
        return this.#giveUp(error);
      }
    }
    this.#context.commit();
    this.#signal = new AbortController().signal;
    if (this.state.verdict?.good) await this.#finish();
    else await this.#goBack();
    await services().host(this.#plan.host).refresh(this.#plan.container.id);
    if (this.state.newId !== null) await services().host(this.#plan.host).refresh(this.state.newId);
  }

  #isStopping(): boolean {
    const { aborted, reason } = this.#context.signal;
    return aborted && reason instanceof AppError && reason.detail.problem === "stopping";
  }

  async #save(more: Partial<Saved>): Promise<void> {
    this.state = { ...this.state, ...more };
    await this.#context.saveCheckpoint(this.state);
  }

  #look(id: string): Promise<Inspected | null> {
    return this.#do(async () => {
      try {
        return await inspectContainer(this.#engine, id);
      } catch (error) {
        if (toAppError(error).code === "NOT_FOUND") return null;
        throw error;
      }
    });
  }

  #do<T>(act: () => Promise<T>): Promise<T> {
    return patiently(this.#signal, act, this.#patienceMs);
  }

  /** Stopped, and not started again by the engine itself, not even when that is restarted. */
  async #quiet(id: string): Promise<void> {
    await this.#setPolicy(id, { Name: "no" });
    await this.#do(async () => {
      const now = await this.#look(id);
      if (now?.State.Running) await actOn(this.#engine, id, "stop", stopMsOf(now));
    });
  }

  async #setPolicy(id: string, policy: RestartPolicy): Promise<void> {
    try {
      await this.#do(() => setRestartPolicy(this.#engine, id, policy));
    } catch (error) {
      // A socket proxy that does not allow it: then it has never been changed, and what starts again is stopped when it is seen.
      if (toAppError(error).code !== "REFUSED") throw error;
      this.#context.log("warn", "services.policyRefused", {
        container: this.#name,
        policy: policy.Name,
        says: saidBy(error),
      });
    }
  }

  /** The image on the host, as it was planned. */
  async #image(): Promise<void> {
    if (this.state.imageId !== null) return;
    const { to } = this.#plan;
    const { image } = to;
    const context = this.#context;
    if (this.state.tagged === null) {
      const tagged = await this.#do(() => inspectImage(this.#engine, image));
      if (tagged !== null) await this.#save({ tagged: tagged.Id });
    }
    if (!to.local) {
      const reference = parseReference(to.pull ?? image);
      const tag = reference.digest ?? reference.tag ?? "latest";
      await this.#do(() =>
        pullImage(
          this.#engine,
          familiarName(reference),
          tag,
          loginFor(reference),
          this.#signal,
          ({ done, total }) =>
            context.progress("pull", Math.round(done / 1e6), Math.max(1, Math.round(total / 1e6))),
        ),
      );
    }
    // Going back: the tag names again what it named then, here on the host.
    const goingBack = to.local ? to.imageId : to.pull;
    if (goingBack !== null && isTagged(image)) await this.#do(() => tagImage(this.#engine, goingBack, image));
    const found = await this.#do(() => inspectImage(this.#engine, image));
    if (found === null)
      throw new AppError("NOT_FOUND", `${image} is not on ${this.#plan.host}, although it was pulled.`, {
        problem: "services.imageGone",
        params: { image },
      });
    if (!isPlanned(to, found)) throw moved(image);
    context.log("info", "services.pulled", { image, id: found.Id.slice(7, 19) });
    await this.#save({ imageId: found.Id });
  }

  /** The new container, made but not started, under a name of its own. */
  async #create(): Promise<void> {
    const { container, from, to } = this.#plan;
    // Complete before the old one was touched: there is nothing left to make.
    if (this.state.stoppedAt !== null) return;
    const old = await this.#look(container.id);
    if (old === null) throw gone(container.name);
    refuseChanged(container, fingerprintOf(old));
    const oldImage = await this.#do(() => inspectImage(this.#engine, from.imageId));
    const newImage = await this.#do(() => inspectImage(this.#engine, this.state.imageId ?? ""));
    const { create, networks } = descriptionOf(old, oldImage, to.image, this.state.imageId ?? "");
    // Made before a crash that came before it was written down?
    const there = await this.#look(this.#nextName);
    const newId = there?.Id ?? (await this.#do(() => this.#createOnce(create)));
    // Written down before anything else can fail: whoever gives up takes it away.
    await this.#save({ newId });
    for (const { name, settings } of networks) {
      const joined = await this.#look(newId);
      if (joined?.NetworkSettings.Networks?.[name]) continue;
      await this.#do(() => connectNetwork(this.#engine, name, newId, settings));
    }
    const now = await this.#look(newId);
    if (now === null) throw gone(this.#nextName);
    // Between the pull and this the tag may have been moved.
    const made = await this.#do(() => inspectImage(this.#engine, now.Image));
    if (now.Image !== this.state.imageId && made?.Id !== this.state.imageId) throw moved(to.image);
    const differs = differences(old, now, oldImage, newImage);
    await this.#save({ differs, madeOf: now.Image, errorsBefore: await this.#errorsBefore(old) });
    this.#context.log("info", "services.created", { container: this.#nextName });
  }

  async #createOnce(create: Readonly<Record<string, unknown>>): Promise<string> {
    try {
      return await createContainer(this.#engine, this.#nextName, create);
    } catch (error) {
      // Asked twice, because the answer to the first was lost.
      const there = toAppError(error).code === "CONFLICT" ? await this.#look(this.#nextName) : null;
      if (there === null) throw error;
      return there.Id;
    }
  }

  /**
   * The old one stops and gives its name away, the new one takes it and starts. Not cut in two by a cancel or by Sluice's own end:
   * in between nothing runs.
   */
  async #switch(): Promise<void> {
    const { newId } = this.state;
    const oldId = this.#plan.container.id;
    if (newId === null) throw gone(this.#nextName);
    this.#signal.throwIfAborted();
    this.#signal = new AbortController().signal;
    this.#context.progress("switch", 0, 1);
    const old = await this.#look(oldId);
    if (old === null) throw gone(this.#name);
    const called = nameOf(old);
    if (called !== this.#name && called !== this.#oldName)
      throw changed(this.#name, `it is called ${called} now`);
    if (this.#wasTakenBack(old)) throw changed(this.#name, "it was started again meanwhile");
    if (this.state.stoppedAt === null) {
      const { State, HostConfig } = old;
      await this.#save({
        stoppedAt: Date.now(),
        old: { policy: HostConfig.RestartPolicy ?? null, startedAt: State.StartedAt },
      });
    }
    await this.#quiet(oldId);
    await this.#rename(oldId, this.#oldName);
    await this.#rename(newId, this.#name);
    const now = await this.#look(newId);
    // One that has run and ended already is judged by the watch, not started anew.
    if (now?.State.Status === "created") await this.#do(() => this.#startOnce(newId));
    if (this.state.startedAt === null) await this.#save({ startedAt: Date.now() });
    this.#context.log("info", "services.switched", { container: this.#name });
    this.#signal = this.#context.signal;
  }

  /** Whether the old one has its name and runs since a later start than the one we stopped: by somebody's hand, or by our way back. */
  #wasTakenBack(old: Inspected): boolean {
    const { Running, StartedAt } = old.State;
    return (
      this.state.old !== null &&
      nameOf(old) === this.#name &&
      Running &&
      StartedAt !== this.state.old.startedAt
    );
  }

  async #startOnce(id: string): Promise<void> {
    try {
      await actOn(this.#engine, id, "start");
    } catch (error) {
      // The engine is there and says why it cannot: that is a verdict on the new container, not on the engine.
      if (isAway(error)) throw error;
      this.#context.log("error", "services.cannotStart", { says: saidBy(error) });
    }
  }

  async #rename(id: string, name: string): Promise<void> {
    await this.#do(async () => {
      const now = await this.#look(id);
      if (now === null) throw gone(name);
      if (nameOf(now) !== name) await renameContainer(this.#engine, id, name);
    });
  }

  /** Waits until it is healthy, then looks for a while whether it stays so. */
  async #watch(): Promise<Judgement> {
    const { newId } = this.state;
    const { watchMs } = this.#plan;
    const begun = Date.now();
    const errors = this.#countErrors(newId ?? "");
    let goodSince: number | null = null;
    const judged = (reason: string | null, detail: string | null): Judgement => ({
      good: reason === null,
      reason,
      detail: detail === null ? null : maskedText(detail).slice(0, 300),
      watchedMs: Date.now() - begun,
      errors: errors.count(),
      lines: reason === null ? [] : errors.last().map((line) => ({ ...line, text: maskedText(line.text) })),
    });
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const now = await this.#look(newId ?? "");
        if (now === null) return judged("gone", null);
        await this.#keepAside();
        const { State, RestartCount } = now;
        const health = State.Health?.Status ?? null;
        if (State.Status === "created") return judged("cannotStart", State.Error || null);
        if (State.OOMKilled) return judged("oom", null);
        if (RestartCount > 0 || !State.Running) {
          await errors.settled();
          return judged("ended", String(State.ExitCode));
        }
        if (health === "unhealthy")
          return judged("unhealthy", State.Health?.Log?.at(-1)?.Output.trim() ?? null);
        if (errors.count() > fewErrors && errors.count() > this.state.errorsBefore * 3)
          return judged("errors", String(errors.count()));
        const good = health === null || health === "healthy";
        goodSince = good ? (goodSince ?? Date.now()) : null;
        if (goodSince !== null && Date.now() - goodSince >= watchMs) return judged(null, null);
        if (goodSince === null && Date.now() - begun > healthyMs) return judged("notHealthy", null);
        const step = goodSince === null ? "healthy" : "watch";
        const passed = Date.now() - (goodSince ?? begun);
        const whole = goodSince === null ? healthyMs : watchMs;
        this.#context.progress(
          step,
          Math.min(Math.round(passed / 1000), Math.round(whole / 1000)),
          Math.round(whole / 1000),
        );
        await sleep(pollMs, undefined, { signal: this.#signal }).catch(() => {});
      }
    } finally {
      errors.stop();
    }
  }

  /** The old one again at work beside the new one (its policy could not be changed, or somebody started it): stopped. */
  async #keepAside(): Promise<void> {
    const old = await this.#look(this.#plan.container.id);
    if (!old?.State.Running || nameOf(old) !== this.#oldName) return;
    this.#context.log("warn", "services.oldAgain", { container: this.#oldName });
    await this.#quiet(old.Id);
  }

  /** Counts the error lines of a container while it is watched, and keeps its last words. */
  #countErrors(id: string) {
    const control = new AbortController();
    const kept: LogLine[] = [];
    let count = 0;
    const reading = (async () => {
      while (!control.signal.aborted) {
        try {
          // Asked of the engine: just after our own start nothing is known of any container.
          const { Config } = await inspectContainer(this.#engine, id);
          const options = { tty: Config.Tty === true, follow: true };
          for await (const lines of readLog(this.#engine, id, options, control.signal)) {
            kept.push(...lines);
            kept.splice(0, kept.length - keptLines);
            count += lines.filter(({ text }) => isError(text)).length;
          }
          return;
        } catch {
          // The engine went away for a moment: from the beginning again, so that nothing is counted twice.
          count = 0;
          await sleep(pollMs, undefined, { signal: control.signal }).catch(() => {});
        }
      }
    })();
    return {
      count: () => count,
      last: () => [...kept],
      stop: () => control.abort(),
      settled: () => Promise.race([reading, sleep(1000)]),
    };
  }

  async #errorsBefore(old: Inspected): Promise<number> {
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(this.#engine.timeout)]);
    let count = 0;
    try {
      // Asked of the engine, as just after our own start its clock is not known yet.
      const { clockSkewMs } = await readInfo(this.#engine);
      const since = (Date.now() + (clockSkewMs ?? 0) - this.#plan.watchMs) / 1000;
      const options = { tty: old.Config.Tty === true, follow: false, since };
      for await (const lines of readLog(this.#engine, old.Id, options, limit))
        count += lines.filter(({ text }) => isError(text)).length;
    } catch {
      // Unknown is taken for none: the new one may then write ten.
    }
    return count;
  }

  /** It is good: the old one goes, if all is as we left it. Its volumes and its image stay. */
  async #finish(): Promise<void> {
    const old = await this.#look(this.#plan.container.id);
    if (old === null) return;
    const now = await this.#look(this.state.newId ?? this.#name);
    const asLeft = nameOf(old) === this.#oldName && now?.State.Running === true && nameOf(now) === this.#name;
    try {
      if (this.#wasTakenBack(old)) await this.#givePolicyBack(old.Id);
      if (!asLeft) throw changed(nameOf(old), "somebody else was here");
      await this.#quiet(old.Id);
      await this.#remove(old.Id);
    } catch (error) {
      // The new one runs, and that is what was asked for.
      this.#context.log("warn", "services.left", { container: nameOf(old), says: saidBy(error) });
    }
  }

  async #givePolicyBack(id: string): Promise<void> {
    const policy = this.state.old?.policy ?? null;
    if (policy !== null) await this.#setPolicy(id, policy);
  }

  async #remove(id: string): Promise<void> {
    const begun = Date.now();
    await this.#do(async () => {
      while ((await this.#look(id)) !== null) {
        try {
          return await actOn(this.#engine, id, "remove");
        } catch (error) {
          const removing = /already in progress/i.test(toAppError(error).message);
          if (!removing || Date.now() - begun > removingMs) throw error;
          await sleep(pollMs);
        }
      }
    });
  }

  /** The new one goes, the old one gets its name back and runs. Throws when the old one could not be brought back. */
  async #rollBack(): Promise<void> {
    this.#signal = new AbortController().signal;
    this.#patienceMs = backMs;
    const { newId, stoppedAt } = this.state;
    const oldId = this.#plan.container.id;
    this.#context.progress("rollback", 0, 1);
    // Made, but its id was never heard.
    const failed = await this.#look(newId ?? this.#nextName);
    if (stoppedAt !== null) {
      const old = await this.#look(oldId);
      if (old === null) throw gone(this.#name);
      if (failed !== null) {
        await this.#quiet(failed.Id);
        await this.#rename(failed.Id, this.#failedName);
      }
      await this.#rename(oldId, this.#name);
      const start = this.#plan.container.state === "running" && !this.#wasTakenBack(old);
      // A stop that was asked for may still be at work: it would end what is started now.
      if (start) await this.#quiet(oldId);
      // Before the start, so that an engine which ends now starts it again; but what fails here must not keep it from running.
      const policy = await this.#givePolicyBack(oldId).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      if (start) await this.#do(() => actOn(this.#engine, oldId, "start"));
      if (policy !== null) throw policy.error;
    }
    await this.#retag();
    if (failed !== null)
      await this.#remove(failed.Id).catch((error: unknown) =>
        this.#context.log("warn", "services.left", {
          container: stoppedAt === null ? this.#nextName : this.#failedName,
          says: saidBy(error),
        }),
      );
    if (failed === null && stoppedAt === null) return;
    this.#context.log("warn", "services.rolledBack", {
      container: this.#name,
      reason: this.state.verdict?.reason ?? "",
    });
  }

  /** The tag names the new image by now: whoever makes the container again by it would get that one. */
  async #retag(): Promise<void> {
    const { tagged } = this.state;
    const { image } = this.#plan.to;
    if (tagged === null || !isTagged(image)) return;
    await this.#do(() => tagImage(this.#engine, tagged, image)).catch((error: unknown) =>
      this.#context.log("warn", "services.notTagged", { image, says: saidBy(error) }),
    );
  }

  /** Takes it back, and says where the old one is when that cannot be done. */
  async #goBack(why: AppError | null = null): Promise<void> {
    const begun = Date.now();
    for (;;) {
      try {
        return await this.#rollBack();
      } catch (failure) {
        // An engine that is being stopped fails in many ways while it still answers.
        if (Date.now() - begun < againMs && toAppError(failure).detail.problem !== "services.changed") {
          await sleep(2000);
          continue;
        }
        throw await this.#notBack(failure, why);
      }
    }
  }

  async #notBack(failure: unknown, why: AppError | null): Promise<AppError> {
    const old = await this.#look(this.#plan.container.id).catch(() => null);
    const container = old === null ? this.#oldName : nameOf(old);
    const says = saidBy(failure);
    this.#context.log("error", "services.notRolledBack", { container, says });
    const { code, message } = why ?? toAppError(failure);
    return new AppError(
      code,
      `${message} It could not be rolled back: the old container is ${container}. ${says}`,
      { problem: notTakenBack, params: { what: container, says }, cause: failure },
    );
  }

  /** A step failed, or somebody cancelled: everything as it was, as far as the engine lets us. Always throws. */
  async #giveUp(error: unknown): Promise<never> {
    const why = toAppError(error);
    const { code, message } = why;
    // Not to be saved is no reason to leave it halfway.
    await this.#save({ givingUp: { code, message } }).catch(() => {});
    await this.#goBack(why);
    throw error;
  }

  /** What the engine says now. */
  async evidence(): Promise<DeployEvidence> {
    const { verdict, stoppedAt, startedAt, newId } = this.state;
    const good = verdict?.good === true;
    const now = await this.#look(good ? (newId ?? this.#name) : this.#plan.container.id);
    const at = now === null ? null : timeOf(now.State.StartedAt);
    return {
      outcome: good ? "deployed" : "rolledBack",
      reason: verdict?.reason ?? null,
      detail: verdict?.detail ?? null,
      container:
        now === null
          ? null
          : {
              id: now.Id,
              image: now.Config.Image,
              imageId: now.Image,
              state: now.State.Status,
              health: now.State.Health?.Status ?? null,
              startedAt: at === null ? null : new Date(at).toISOString(),
            },
      differs: this.state.differs,
      downMs:
        stoppedAt === null || startedAt === null ? null : Math.max(0, Math.round(startedAt - stoppedAt)),
      watchedMs: verdict?.watchedMs ?? 0,
      errors: verdict?.errors ?? 0,
      errorsBefore: this.state.errorsBefore,
      lines: verdict?.lines ?? [],
    };
  }

  get madeOf(): string | null {
    return this.state.madeOf;
  }
}

/** Whether a name is a tag's, which can be moved, and neither a digest nor an id. */
const isTagged = (image: string): boolean => !image.startsWith("sha256:") && !image.includes("@");

const isError = (text: string): boolean => {
  const { level } = recognise(text);
  return level === "error" || level === "fatal";
};
const nameOf = ({ Name }: Inspected): string => Name.replace(/^\//, "");
/** What went wrong, for the log; an engine's words come without secrets from its adapter. */
const saidBy = (error: unknown): string => toAppError(error).message.slice(0, 300);

const changed = (container: string, difference: string) =>
  new AppError("CONFLICT", `${container}: ${difference}.`, {
    problem: "services.changed",
    params: { container, difference },
  });
const gone = (name: string) => changed(name, "it is gone");
const moved = (image: string) =>
  new AppError("CONFLICT", `${image} names another image now than when the plan was made.`, {
    problem: "services.tagMoved",
    params: { image },
  });

/**
 * Whether an image of the host is the planned one. Its id is the digest of its configuration or, in containerd's image store (the
 * default of a new Engine 29), that of its index or manifest.
 */
export function isPlanned(to: DeployPlan["to"], found: ImageDetail): boolean {
  const known = [to.imageId, to.digest, to.platformDigest].filter((one) => one !== null);
  const says = [found.Id, ...(found.RepoDigests ?? []).map((one) => one.split("@")[1])];
  return known.length === 0 || known.some((one) => says.includes(one));
}

/** Deploys at work, from apply to verify. */
const running = new Map<number, Deploy>();

export const deployKind: ChangeKind<DeployInput, DeployPlan, DeployEvidence> = {
  kind: "service.deploy",
  input: deployInput,
  plan: deployPlan,
  evidence: deployEvidence,
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "admin"),
  makePlan: (input, { signal }) => planDeploy(input, signal),
  describe: (plan) => ({
    title: `${plan.container.name} ${plan.from.image} → ${plan.to.image}`.slice(0, 300),
    site: null,
    level: "disruptive",
    targets: [`container:${plan.host}/${plan.container.name}`],
  }),

  async apply(plan, context) {
    const deploy = new Deploy(plan, context);
    running.set(context.changeId, deploy);
    try {
      await deploy.run();
    } catch (error) {
      running.delete(context.changeId);
      throw error;
    }
  },

  async verify(plan, context) {
    const deploy = running.get(context.changeId) ?? new Deploy(plan, context);
    running.delete(context.changeId);
    const evidence = await deploy.evidence();
    const ok =
      evidence.outcome === "deployed" &&
      evidence.container?.state === "running" &&
      evidence.container.imageId === deploy.madeOf;
    return { ok, outcome: evidence.outcome, evidence };
  },

  undo({ input, plan, evidence }) {
    // What was rolled back is as it was.
    if (evidence?.outcome !== "deployed") return null;
    const { host } = plan;
    const { image, imageId, digest } = plan.from;
    return {
      kind: "service.deploy",
      input: {
        host,
        id: plan.container.name,
        image,
        imageId,
        ...(digest === null ? {} : { digest }),
        watchMs: input.watchMs,
      },
    };
  },
};
