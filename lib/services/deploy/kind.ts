// Another image for a container, as a Change: pulled, made again with the same settings, watched, and rolled back when it is not good.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { requireRole } from "../../auth/permissions";
import type { ChangeKind, RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import {
  actOn,
  connectNetwork,
  createContainer,
  type Inspected,
  inspectContainer,
  renameContainer,
  timeOf,
} from "../../systems/docker/containers";
import { inspectImage, pullImage, tagImage } from "../../systems/docker/images";
import { type LogLine, readLog } from "../../systems/docker/logs";
import type { DockerEngine } from "../../systems/docker/target";
import { familiarName, parseReference } from "../../systems/oci/reference";
import { fingerprintOf, refuseChanged } from "../acts/kind";
import { patiently } from "../acts/patience";
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
/** More error lines than this while it is watched, and three times those of before: it is not good. */
const fewErrors = 10;
const keptLines = 50;

const saved = z.object({
  /** Of the image it is made of, once that is on the host. */
  imageId: z.string().nullable(),
  /** The new container, once it is made. */
  newId: z.string().nullable(),
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
});
type Saved = z.infer<typeof saved>;
type Judgement = NonNullable<Saved["verdict"]>;

/** One deploy at work. Every step looks at the engine first, so that each may be done again after a crash of ours or of it. */
class Deploy {
  readonly #plan: DeployPlan;
  readonly #context: RunContext;
  readonly #engine: DockerEngine;
  /** Aborts what may be given up; the way back goes on without it. */
  #signal: AbortSignal;
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
          newId: null,
          stoppedAt: null,
          startedAt: null,
          errorsBefore: 0,
          differs: [],
          verdict: null,
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

  async run(): Promise<void> {
    try {
      if (this.state.verdict === null) {
        await this.#image();
        await this.#create();
        await this.#switch();
        const verdict = await this.#watch();
        await this.#save({ verdict });
      }
    } catch (error) {
      // Sluice itself stops: the next start goes on from here.
      if (this.#isStopping()) throw error;
      await this.#giveUp(error);
      throw error;
    }
    if (this.state.verdict?.good) await this.#finish();
    else await this.#rollBack();
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
    return patiently(this.#signal, async () => {
      try {
        return await inspectContainer(this.#engine, id);
      } catch (error) {
        if (toAppError(error).code === "NOT_FOUND") return null;
        throw error;
      }
    });
  }

  #do<T>(act: () => Promise<T>): Promise<T> {
    return patiently(this.#signal, act);
  }

  /** The image on the host, by the id that was planned. */
  async #image(): Promise<void> {
    if (this.state.imageId !== null) return;
    const { to } = this.#plan;
    const { image } = to;
    const context = this.#context;
    if (!to.local) {
      const reference = parseReference(image);
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
    } else if (to.imageId !== null && isTagged(image)) {
      // Going back: the tag names again what it named then, here on the host.
      await this.#do(() => tagImage(this.#engine, to.imageId ?? "", image));
    }
    const found = await this.#do(() => inspectImage(this.#engine, image));
    if (found === null)
      throw new AppError("NOT_FOUND", `${image} is not on ${this.#plan.host}, although it was pulled.`, {
        problem: "services.imageGone",
        params: { image },
      });
    const moved =
      (to.imageId !== null && found.Id !== to.imageId) ||
      (to.imageId === null &&
        to.digest !== null &&
        !(found.RepoDigests ?? []).some((one) => one.endsWith(to.digest ?? "")));
    if (moved)
      throw new AppError("CONFLICT", `${image} names another image now than when the plan was made.`, {
        problem: "services.tagMoved",
        params: { image },
      });
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
    const made = await this.#look(this.#nextName);
    const newId = made?.Id ?? (await this.#do(() => this.#createOnce(create)));
    // Written down before anything else can fail: whoever gives up takes it away.
    await this.#save({ newId });
    for (const { name, settings } of networks) {
      const joined = await this.#look(newId);
      if (joined?.NetworkSettings.Networks?.[name]) continue;
      await this.#do(() => connectNetwork(this.#engine, name, newId, settings));
    }
    const now = await this.#look(newId);
    const differs = now === null ? [] : differences(old, now, oldImage, newImage);
    await this.#save({ differs, errorsBefore: await this.#errorsBefore(old) });
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

  /** The old one stops and gives its name away, the new one takes it and starts. */
  async #switch(): Promise<void> {
    const { newId } = this.state;
    const oldId = this.#plan.container.id;
    if (newId === null) throw gone(this.#nextName);
    this.#context.progress("switch", 0, 1);
    if (this.state.stoppedAt === null) await this.#save({ stoppedAt: Date.now() });
    const old = await this.#look(oldId);
    if (old === null) throw gone(this.#name);
    if (old.State.Running) await this.#do(() => actOn(this.#engine, oldId, "stop"));
    await this.#rename(oldId, this.#oldName);
    await this.#rename(newId, this.#name);
    const now = await this.#look(newId);
    // One that has run and ended already is judged by the watch, not started anew.
    if (now?.State.Status === "created") await this.#do(() => this.#startOnce(newId));
    if (this.state.startedAt === null) await this.#save({ startedAt: Date.now() });
    this.#context.log("info", "services.switched", { container: this.#name });
  }

  async #startOnce(id: string): Promise<void> {
    try {
      await actOn(this.#engine, id, "start");
    } catch (error) {
      const { code, message } = toAppError(error);
      // The engine is there and says why it cannot: that is a verdict on the new container, not on the engine.
      if (code === "UNREACHABLE" || code === "TIMEOUT") throw error;
      this.#context.log("error", "services.cannotStart", { says: message.slice(0, 300) });
    }
  }

  async #rename(id: string, name: string): Promise<void> {
    await this.#do(async () => {
      const now = await this.#look(id);
      if (now === null) throw gone(name);
      if (now.Name.replace(/^\//, "") !== name) await renameContainer(this.#engine, id, name);
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
      detail,
      watchedMs: Date.now() - begun,
      errors: errors.count(),
      lines: reason === null ? [] : errors.last(),
    });
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        const now = await this.#look(newId ?? "");
        if (now === null) return judged("gone", null);
        const { State, RestartCount } = now;
        const health = State.Health?.Status ?? null;
        if (State.Status === "created") return judged("cannotStart", State.Error?.slice(0, 300) || null);
        if (State.OOMKilled) return judged("oom", null);
        if (RestartCount > 0 || !State.Running) {
          await errors.settled();
          return judged("ended", String(State.ExitCode));
        }
        if (health === "unhealthy")
          return judged("unhealthy", State.Health?.Log?.at(-1)?.Output.trim().slice(0, 300) ?? null);
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

  /** Counts the error lines of a container while it is watched, and keeps its last words. */
  #countErrors(id: string) {
    const control = new AbortController();
    const kept: LogLine[] = [];
    let count = 0;
    const tty =
      services().host(this.#plan.host).containers.get(this.#plan.container.id)?.inspected.Config.Tty === true;
    const reading = (async () => {
      while (!control.signal.aborted) {
        try {
          for await (const lines of readLog(this.#engine, id, { tty, follow: true }, control.signal)) {
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
    const now = Date.now();
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(this.#engine.timeout)]);
    const since = (now - this.#plan.watchMs) / 1000;
    let count = 0;
    try {
      const options = { tty: old.Config.Tty === true, follow: false, since };
      for await (const lines of readLog(this.#engine, old.Id, options, limit))
        count += lines.filter(({ text }) => isError(text)).length;
    } catch {
      // Unknown is taken for none: the new one may then write ten.
    }
    return count;
  }

  /** It is good: the old one goes. Its volumes and its image stay. */
  async #finish(): Promise<void> {
    await this.#remove(this.#plan.container.id);
  }

  async #remove(id: string): Promise<void> {
    await this.#do(async () => {
      if ((await this.#look(id)) !== null) await actOn(this.#engine, id, "remove");
    });
  }

  /** The new one goes, the old one gets its name back and runs. */
  async #rollBack(): Promise<void> {
    this.#signal = new AbortController().signal;
    const { newId } = this.state;
    const oldId = this.#plan.container.id;
    const old = await this.#look(oldId);
    if (old === null) throw gone(this.#name);
    this.#context.progress("rollback", 0, 1);
    if (newId !== null) await this.#remove(newId);
    await this.#rename(oldId, this.#name);
    if (this.#plan.container.state === "running")
      await this.#do(async () => {
        if (!(await this.#look(oldId))?.State.Running) await actOn(this.#engine, oldId, "start");
      });
    const { from, to } = this.#plan;
    // The tag names the new image by now: whoever makes the container again by it would get that one.
    if (to.image === from.image && isTagged(from.image))
      await this.#do(() => tagImage(this.#engine, from.imageId, from.image));
    this.#context.log("warn", "services.rolledBack", {
      container: this.#name,
      reason: this.state.verdict?.reason ?? "",
    });
  }

  /** A step failed, or somebody cancelled: everything as it was, as far as the engine lets us. */
  async #giveUp(error: unknown): Promise<void> {
    if (this.state.newId === null && this.state.stoppedAt === null) return;
    try {
      await this.#rollBack();
    } catch (failure) {
      const { message } = toAppError(failure);
      const state = this.state.stoppedAt === null ? this.#name : this.#oldName;
      this.#context.log("error", "services.notRolledBack", { container: state, says: message.slice(0, 300) });
      throw new AppError(
        toAppError(error).code,
        `${toAppError(error).message} It could not be rolled back either: the old container is ${state}. ${message}`,
        { cause: error },
      );
    }
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

  get imageId(): string | null {
    return this.state.imageId;
  }
}

/** Whether a name is a tag's, which can be moved, and neither a digest nor an id. */
const isTagged = (image: string): boolean => !image.startsWith("sha256:") && !image.includes("@");

const isError = (text: string): boolean => {
  const { level } = recognise(text);
  return level === "error" || level === "fatal";
};
const gone = (name: string) =>
  new AppError("CONFLICT", `${name} is gone.`, {
    problem: "services.changed",
    params: { container: name, difference: "it is gone" },
  });

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
      evidence.container.imageId === deploy.imageId;
    return { ok, outcome: evidence.outcome, evidence };
  },

  undo({ input, plan, evidence }) {
    // What was rolled back is as it was.
    if (evidence?.outcome !== "deployed") return null;
    const { host } = plan;
    const { image, imageId } = plan.from;
    return {
      kind: "service.deploy",
      input: { host, id: plan.container.name, image, imageId, watchMs: input.watchMs },
    };
  },
};
