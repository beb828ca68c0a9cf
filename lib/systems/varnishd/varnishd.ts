// A varnishd of our own for a moment: it serves one VCL on the loopback, and afterwards nothing of it is left.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { type Seen, seenIn } from "./log";

/** varnishd, the varnishlog beside it, and their version ("7.1.1"). */
export type VarnishPrograms = { readonly path: string; readonly log: string; readonly version: string };

export type Varnishd = {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** What is cached now is not served any more. */
  forget(): Promise<void>;
  /** How it answered the requests so far. */
  seen(): Promise<Seen[]>;
};

/** From its start to its end: a large VCL compiles for 15 s. */
const limitMs = 60_000;
/** How long it may take to end by itself. */
const graceMs = 5_000;
const mostWords = 300;

/** A program of ours is told nothing of Sluice's own environment: std.getenv() reads it. */
const environment = () => ({ NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH });

/** Whoever is not root seldom has the sbin folders on their path. */
const folders = () => [
  ...(process.env.PATH ?? "").split(":").filter(isAbsolute),
  "/usr/local/sbin",
  "/usr/sbin",
];

async function firstProgram(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return null;
}

/** The varnishd that SLUICE_VARNISHD names, else the one on the path, with its varnishlog; null where there is none. */
export async function findVarnishd(): Promise<VarnishPrograms | null> {
  const named = process.env.SLUICE_VARNISHD;
  const path = await firstProgram(named ? [named] : folders().map((folder) => `${folder}/varnishd`));
  if (path === null) return null;
  const beside = [dirname(path), `${dirname(dirname(path))}/bin`, ...folders()];
  const log = await firstProgram(beside.map((folder) => `${folder}/varnishlog`));
  if (log === null) return null;
  const said = await promisify(execFile)(path, ["-V"], { timeout: 5000, env: environment() }).then(
    ({ stdout, stderr }) => stdout + stderr,
    () => "",
  );
  const version = /varnish-(?:plus-)?(\d[^\s)]*)/.exec(said)?.[1];
  return version === undefined ? null : { path, log, version };
}

type Answer = { readonly status: number; readonly body: string };

/** The CLI's answers: a line of 13 bytes with status and length, the text, and a line's end. */
async function* answersOf(stream: Readable): AsyncGenerator<Answer, undefined> {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const header = /^(\d{3}) (\d+) *\n/.exec(pending.toString("latin1", 0, 13));
      const end = 13 + Number(header?.[2]);
      if (!header || pending.length <= end) break;
      yield { status: Number(header[1]), body: pending.toString("utf8", 13, end) };
      pending = pending.subarray(end + 1);
    }
  }
  return undefined;
}

/** One argument, in quotes and on one line. */
const quoted = (text: string) =>
  `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;

const refused = (problem: string, words: string) => {
  const says = maskedText(words)
    .replace(/[^\x20-\x7e\n]+/g, " ")
    .trim()
    .slice(0, mostWords);
  return new AppError("REFUSED", `The trial's varnishd: ${says}`, { problem, params: { says } });
};

/**
 * The manager, with its CLI on stdin and stdout (-d): no port and no secret are needed, and when Sluice dies its end of
 * the pipe is closed, upon which varnishd ends too.
 */
async function startManager(path: string, args: readonly string[]) {
  // A group of its own, so that its worker and a compiler at work can be ended with it.
  const child = spawn(path, ["-d", ...args], { stdio: "pipe", detached: true, env: environment() });
  const over = once(child, "close");
  over.catch(() => {});
  await once(child, "spawn");
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-8000);
  });
  const answers = answersOf(child.stdout);
  let ending: Promise<unknown> | undefined;
  const end = () => {
    if (ending === undefined) {
      const timer = setTimeout(() => {
        if (child.pid === undefined) return;
        try {
          process.kill(-child.pid, "SIGKILL");
        } catch {
          // It has ended this moment.
        }
      }, graceMs);
      child.kill("SIGTERM");
      child.stdin.end();
      ending = over.finally(() => clearTimeout(timer));
    }
    return ending;
  };
  return {
    end,
    /** What it wrote of itself; whole when it has ended. */
    log: () => log,
    /** Its answer to a command; without one, its greeting. */
    async ask(command?: string): Promise<Answer> {
      if (command !== undefined) child.stdin.write(`${command}\n`);
      const { value } = await answers.next();
      if (value !== undefined) return value;
      await end();
      throw refused("vclTrial.start", log);
    },
  };
}
type Manager = Awaited<ReturnType<typeof startManager>>;

async function done(manager: Manager, command: string, problem = "vclTrial.start"): Promise<string> {
  const { status, body } = await manager.ask(command);
  if (status !== 200) throw refused(problem, body);
  return body;
}

/** Switches off what a compiler's parameter of this name allows: a bit since 7.2, a parameter of its own before. */
async function forbid(manager: Manager, feature: string): Promise<void> {
  const { status } = await manager.ask(`param.set vcc_feature -${feature}`);
  if (status !== 200) await done(manager, `param.set vcc_${feature} off`);
}

/** Compiles the VCL, serves it, and gives the port. */
async function serve(manager: Manager, vcl: string): Promise<number> {
  await manager.ask();
  // No include or vmod of any path of this machine.
  await forbid(manager, "unsafe_path");
  // What is unused is for the nodes' own compilers to say.
  await forbid(manager, "err_unref");
  await done(manager, `vcl.inline trial ${quoted(vcl)}`, "vclTrial.compile");
  await done(manager, "vcl.use trial");
  if ((await manager.ask("start")).status !== 200) {
    // Only its log says why: a vcl_init that failed.
    await manager.end();
    throw refused(
      "vclTrial.compile",
      /Pushing vcls failed:([\s\S]*?)\n\n/.exec(manager.log())?.[1] ?? manager.log(),
    );
  }
  const port = /127\.0\.0\.1[ :](\d+)/.exec(await done(manager, "debug.listen_address"))?.[1];
  if (port === undefined) throw refused("vclTrial.start", "no address");
  return Number(port);
}

/**
 * Starts a varnishd with this VCL on a port of the loopback, lets `run` use it, and ends it: the process, its worker and
 * its folder are gone when this returns or throws. It has 60 s; `run`'s signal says when they are over. Run by root,
 * varnishd gives its rights up by its own jail, where its users exist. Inline C stays forbidden, as is its default, and
 * no path of this machine can be included or imported; std.fileread() cannot be forbidden and is the caller's to refuse.
 * Throws AppError REFUSED (the compiler's words, or those of a varnishd that does not run, in params.says), TIMEOUT,
 * CANCELLED, and what `run` throws.
 */
export async function withVarnishd<T>(
  programs: VarnishPrograms,
  vcl: string,
  run: (varnishd: Varnishd, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const folder = await mkdtemp(join(tmpdir(), "sluice-vcl-trial-"));
  const name = join(folder, "varnish");
  // A store that the VCL names must exist.
  const stores = new Set([...vcl.matchAll(/\bstorage\.([A-Za-z]\w*)/g)].map(([, store = ""]) => store));
  stores.delete("s0");
  try {
    limit.throwIfAborted();
    // The users of varnishd's jail must get through.
    if (process.getuid?.() === 0) await chmod(folder, 0o711);
    const manager = await startManager(programs.path, [
      ...["-n", name, "-f", "", "-a", "127.0.0.1:0", "-s", "malloc,16M"],
      ...[...stores].slice(0, 20).flatMap((store) => ["-s", `${store}=malloc,16M`]),
      // An include finds nothing, and the log of all tests fits in.
      ...["-p", `vcl_path=${folder}`, "-p", "vsl_space=16M"],
      ...["-p", "thread_pools=1", "-p", "thread_pool_min=10"],
    ]);
    limit.addEventListener("abort", manager.end, { once: true });
    try {
      // It may have come while varnishd started.
      limit.throwIfAborted();
      const port = await serve(manager, vcl);
      const varnishd = {
        port,
        forget: async () => void (await done(manager, "ban obj.status != 0")),
        seen: () => seenIn(programs.log, name, environment(), limit),
      };
      return await run(varnishd, limit);
    } finally {
      limit.removeEventListener("abort", manager.end);
      await manager.end();
    }
  } catch (error) {
    if (signal.aborted) throw new AppError("CANCELLED", "Stopped before the trial was over.");
    if (limit.aborted) {
      throw new AppError("TIMEOUT", `The trial did not end within ${limitMs / 1000} s.`, {
        problem: "vclTrial.timeout",
        params: { seconds: limitMs / 1000 },
      });
    }
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
