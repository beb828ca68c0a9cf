// restic as a process: an argument array, an environment of its own, a few at once, and an end that leaves no lock.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { AppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { faultOf } from "./faults";
import type { ResticRepository } from "./repository";

/** Each takes 120 to 150 MB. What takes long (a whole listing, a download) never keeps looks and clicks waiting. */
const atOnce = { short: 2, long: 2 } as const;
export type Lane = keyof typeof atOnce;
/** Whoever waits for an answer does not wait longer for their turn. */
const turnMs = 120_000;
/** One that writes nothing for so long is stuck: restic itself gives a server up after 15 minutes, or never. */
const idleMs = 20 * 60_000;
/** After SIGINT restic takes its locks away, which it cannot do while its server is away. */
const graceMs = 10_000;
const mostOutput = 64 * 1024 * 1024;
const mostErrors = 16_000;
const passwordMs = 10_000;

class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with the way to give it back. Throws the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      this.#waiting.push(turn);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
const slots = () =>
  singleton("restic.slots", () => ({ short: new Slots(atOnce.short), long: new Slots(atOnce.long) }));

/** What a program of ours is told of Sluice's own environment. */
const base = () => ({
  NODE_ENV: process.env.NODE_ENV,
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
});

async function passwordOf(repository: ResticRepository, signal: AbortSignal): Promise<string> {
  const [program, ...args] = repository.password_command ?? [];
  if (program === undefined) return repository.password ?? "";
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      ...{ env: { ...base(), ...repository.env }, timeout: passwordMs, signal, maxBuffer: 64 * 1024 },
    });
    return stdout.split(/\r?\n/, 1)[0] ?? "";
  } catch (cause) {
    signal.throwIfAborted();
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "?";
    // Not its words: they may hold the password.
    throw new AppError("UPSTREAM_AUTH", `${repository.name}: password_command failed (${why}).`, {
      problem: "restic.passwordCommand",
      params: { system: repository.name, why },
    });
  }
}

/** Where restic reads all it must not be told on the argument list, which every user of the machine sees. */
const environmentOf = (repository: ResticRepository, password: string) => ({
  ...base(),
  ...repository.env,
  RESTIC_REPOSITORY: repository.repository,
  RESTIC_PASSWORD: password,
  RESTIC_CACHE_DIR: repository.cache,
  // Unset, it writes 50 lines a second.
  RESTIC_PROGRESS_FPS: "1",
});

export type Running = {
  readonly stdout: Readable;
  /** Resolves when it has ended well. Throws AppError. */
  readonly done: Promise<void>;
  /** SIGINT, then SIGKILL; what it still writes is read, so that it can end. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Stops it, and `done` throws TIMEOUT: `ms` were too long. */
  expire(ms: number): void;
};

const failedToStart = (repository: ResticRepository, cause: unknown): AppError =>
  new AppError("NOT_CONFIGURED", `${repository.name}: ${repository.binary} cannot be started.`, {
    problem: "restic.missing",
    params: { system: repository.name, binary: repository.binary },
    cause,
  });

const late = (repository: ResticRepository, ms: number): AppError =>
  new AppError("TIMEOUT", `${repository.name}: restic did not end within ${ms / 1000} s.`, {
    problem: "restic.timeout",
    params: { system: repository.name, seconds: ms / 1000 },
  });

const busy = (repository: ResticRepository): AppError =>
  new AppError("TIMEOUT", `${repository.name}: other commands of restic did not end in time.`, {
    problem: "restic.busy",
    params: { system: repository.name, seconds: turnMs / 1000 },
  });

const cancelled = (repository: ResticRepository): AppError =>
  new AppError("CANCELLED", `${repository.name}: stopped before restic had ended.`);

/**
 * Starts restic, once it is its turn (`patient`: however long that takes); it is stopped when `signal` aborts or, where `limitMs` is
 * given, when it has run so long. Throws AppError NOT_CONFIGURED, UPSTREAM_AUTH, CANCELLED, TIMEOUT.
 */
export async function startRestic(
  repository: ResticRepository,
  args: readonly string[],
  options: {
    readonly signal: AbortSignal;
    readonly lane: Lane;
    readonly limitMs: number | null;
    readonly patient?: boolean;
  },
): Promise<Running> {
  const { signal, lane, limitMs, patient = false } = options;
  // A server that is away keeps others waiting: that is not held against them.
  const turn = patient ? signal : AbortSignal.any([signal, AbortSignal.timeout(turnMs)]);
  const free = await slots()
    [lane].take(turn)
    .catch(() => {
      throw signal.aborted ? cancelled(repository) : busy(repository);
    });
  const expired = new AbortController();
  let waitedMs = limitMs ?? 0;
  const ends = limitMs === null ? [] : [AbortSignal.timeout(limitMs)];
  const limit = AbortSignal.any([signal, expired.signal, ...ends]);
  const ended = () => (signal.aborted ? cancelled(repository) : late(repository, waitedMs));
  try {
    const password = await passwordOf(repository, limit);
    // It may have come while the password was asked for.
    limit.throwIfAborted();
    const cacert = repository.cacert === undefined ? [] : [`--cacert=${repository.cacert}`];
    const child = spawn(repository.binary, [...cacert, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: environmentOf(repository, password),
    });
    const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    closed.catch(() => {});
    await once(child, "spawn").catch((cause: unknown) => {
      throw failedToStart(repository, cause);
    });
    child.on("error", () => {});
    child.stdout.on("error", () => {});
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-mostErrors);
    });
    let killer: NodeJS.Timeout | undefined;
    let stopped = false;
    const stop = async () => {
      if (!stopped && child.exitCode === null && child.signalCode === null) {
        stopped = true;
        child.kill("SIGINT");
        killer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      }
      // A reader who waits for it does not keep it from being emptied.
      child.stdout.removeAllListeners("readable");
      child.stdout.resume();
      await closed;
    };
    const onAbort = () => void stop();
    limit.addEventListener("abort", onAbort, { once: true });
    if (limit.aborted) onAbort();
    const done = closed
      .then(([code]) => {
        if (limit.aborted) throw ended();
        if (code !== 0 && !stopped) throw faultOf(repository, code, stderr);
      })
      .finally(() => {
        clearTimeout(killer);
        limit.removeEventListener("abort", onAbort);
        free();
      });
    done.catch(() => {});
    const expire = (ms: number) => {
      waitedMs = ms;
      expired.abort();
    };
    return { stdout: child.stdout, done, stop, expire };
  } catch (error) {
    free();
    if (limit.aborted) throw ended();
    throw error;
  }
}

/** What a short command writes, whole. Throws AppError. */
export async function resticOutput(
  repository: ResticRepository,
  args: readonly string[],
  signal: AbortSignal,
  { lane = "short", limitMs = repository.timeout }: { readonly lane?: Lane; readonly limitMs?: number } = {},
): Promise<string> {
  const running = await startRestic(repository, args, { signal, lane, limitMs });
  const chunks: Buffer[] = [];
  let size = 0;
  running.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= mostOutput) chunks.push(chunk);
    else void running.stop();
  });
  await running.done;
  if (size > mostOutput)
    throw new AppError("TOO_LARGE", `${repository.name}: restic's answer is larger than 64 MB.`, {
      problem: "restic.tooMuch",
      params: { system: repository.name },
    });
  return Buffer.concat(chunks).toString("utf8");
}

/** Pieces of what restic writes, at the reader's pace; a reader who leaves stops it. Throws AppError at the end where restic failed. */
export async function* piecesOf(running: Running): AsyncGenerator<Buffer, void> {
  try {
    const pieces = running.stdout.iterator({ destroyOnReturn: false });
    for (;;) {
      const timer = setTimeout(() => running.expire(idleMs), idleMs);
      const { done, value } = await pieces.next().finally(() => clearTimeout(timer));
      if (done) break;
      yield Buffer.isBuffer(value) ? value : Buffer.from(String(value));
    }
    await running.done;
  } finally {
    // Of one that has ended this is nothing.
    await running.stop().catch(() => {});
  }
}
