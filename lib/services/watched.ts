// One container as we watch it: the engine's word, what happened to it, what it uses.
import type { Inspected } from "../systems/docker/containers";
import { timeOf } from "../systems/docker/containers";
import type { ContainerEvent } from "../systems/docker/events";
import type { LogLine } from "../systems/docker/logs";
import type { Counters, Usage } from "../systems/docker/stats";
import { usageOf } from "../systems/docker/stats";
import { isTask, isWorker } from "./acts/depends";
import type { ServiceRow } from "./contract";
import { judge, loopWindowMs } from "./judge";
import { stepMs, UsageRing } from "./ring";

const maxEvents = 100;
/** A death so soon after a signal was asked for. */
const requestedWithinMs = 60_000;
/** A container that ends so soon did not do its work, whatever it says. */
const briefMs = 60_000;
const sparkSteps = 30;
const states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;

export class Watched {
  readonly id: string;
  readonly ring = new UsageRing();
  readonly events: ContainerEvent[] = [];
  /** The last lines of a container that the engine removes as soon as it ends: nobody could ask for them then. */
  readonly tail: LogLine[] = [];
  inspected: Inspected;
  usage: Usage | null = null;
  /** Grows with every change of the row. */
  revision = 0;
  #counters: Counters | null = null;
  /** ms by the engine's clock. */
  #deaths: number[] = [];
  #killedAt = 0;
  #oomAt = 0;
  #stopped = false;

  constructor(inspected: Inspected) {
    this.id = inspected.Id;
    this.inspected = inspected;
  }

  get name(): string {
    return this.inspected.Name.replace(/^\//, "");
  }

  get running(): boolean {
    return this.inspected.State.Running && this.inspected.State.Status === "running";
  }

  get labels(): Readonly<Record<string, string>> {
    return this.inspected.Config.Labels ?? {};
  }

  /** Takes an event in; of a death it answers whether somebody asked for it and whether memory was the cause. */
  heard(event: ContainerEvent): { requested: boolean; oom: boolean } | null {
    this.events.push(event);
    if (this.events.length > maxEvents) this.events.shift();
    if (event.event === "kill") this.#killedAt = event.at;
    if (event.event === "oom") this.#oomAt = event.at;
    if (event.event === "start") this.#stopped = false;
    if (event.event !== "die") return null;
    this.#counters = null;
    this.usage = null;
    const requested = event.at - this.#killedAt < requestedWithinMs;
    const oom = event.at - this.#oomAt < requestedWithinMs;
    this.#stopped = requested;
    // A worker that ends well after its hour, to be started afresh, did not die; one that does it each second is a loop.
    const lived = event.at - (timeOf(this.inspected.State.StartedAt) ?? 0);
    const well = event.detail === "0" && lived > briefMs;
    if (!requested && !well) this.#deaths.push(Math.floor(event.at));
    return { requested, oom };
  }

  /** Deaths of before this process began; those we heard ourselves stay. */
  remember(deaths: readonly number[]): void {
    this.#deaths = [...new Set([...deaths, ...this.#deaths])];
  }

  sample(counters: Counters, at: number): void {
    const before = this.#counters;
    this.#counters = counters;
    this.usage = usageOf(counters, before, at);
    this.ring.add(this.usage);
  }

  /** The limit of processors of its own, in cores. */
  get cpuLimit(): number | null {
    const { NanoCpus, CpuQuota, CpuPeriod } = this.inspected.HostConfig;
    if (NanoCpus) return NanoCpus / 1e9;
    return CpuQuota && CpuQuota > 0 ? CpuQuota / (CpuPeriod || 100_000) : null;
  }

  /** Means of the last whole steps before `now`, -1 where nothing is known. */
  spark(steps: number, now: number): number[] {
    return this.ring.last("cpu", steps, now).map((value) => (value === null ? -1 : rounded(value)));
  }

  /** `now` by our clock; `skewMs`: how far the engine's, by which it died, is ahead. */
  row(host: string, self: boolean, update: ServiceRow["update"], now: number, skewMs = 0): ServiceRow {
    const { State, Config, HostConfig, RestartCount, Created } = this.inspected;
    this.#deaths = this.#deaths.filter((at) => now + skewMs - at < loopWindowMs);
    const state = states.find((one) => one === State.Status) ?? "dead";
    const health = (["healthy", "unhealthy", "starting"] as const).find(
      (one) => one === State.Health?.Status,
    );
    const judged = {
      state,
      health: state === "running" ? (health ?? null) : null,
      exitCode: state === "exited" || state === "dead" ? State.ExitCode : null,
      oom: State.OOMKilled === true && state !== "running",
      deaths: this.#deaths.length,
      usage: this.usage,
      memoryLimited: (HostConfig.Memory ?? 0) > 0,
    };
    const iso = (text: string) => {
      const at = timeOf(text);
      return at === null ? null : new Date(at).toISOString();
    };
    return {
      host,
      id: this.id,
      name: this.name,
      project: this.labels["com.docker.compose.project"] ?? this.labels["com.docker.stack.namespace"] ?? null,
      service:
        this.labels["com.docker.compose.service"] ?? this.labels["com.docker.swarm.service.name"] ?? null,
      image: Config.Image,
      imageId: this.inspected.Image,
      ...judged,
      ...judge({
        ...judged,
        restartPolicy: HostConfig.RestartPolicy?.Name || "no",
        startError: State.Error ?? "",
        stopped: this.#stopped,
      }),
      restarts: RestartCount,
      createdAt: iso(Created) ?? new Date(0).toISOString(),
      startedAt: iso(State.StartedAt),
      finishedAt: state === "running" ? null : iso(State.FinishedAt),
      cpuLimit: this.cpuLimit,
      spark: this.spark(sparkSteps, now),
      sparkStep: Math.floor(now / stepMs),
      update,
      self,
      worker: isWorker(this),
      task: isTask(this),
    };
  }
}

/** Thousandths of a core are enough for a line twenty pixels high. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
