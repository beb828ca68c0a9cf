// Varnish's management CLI: one connection and one queue per node, since the manager does one thing at a time.
import type { Socket } from "node:net";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { singleton } from "../../runtime/singleton";
import { type Snapshot, snapshot } from "../snapshot";
import { openTcp } from "../tcp";
import { wireError } from "../wire-error";
import { banRegex } from "./ban-regex";
import { authAnswer, type CliFrame, commandLine, FrameError, FrameParser } from "./cli-frame";
import { type Ask, dialledIn, type Session } from "./reverse";

/** A node's CLI, as sluice.yaml has it. */
export type VarnishAdmin = {
  readonly name: string;
  /** host:port of varnishd -T. */
  readonly admin?: string | undefined;
  /** Or where Sluice listens for it: host:port of varnishd -M (reverse.ts). */
  readonly admin_listen?: string | undefined;
  /** What the -S file holds; whether with its last newline need not be known. */
  readonly secret?: string | undefined;
};

/** A compile blocks every other session meanwhile, the banner of a new one too. */
const commandTimeoutMs = 60_000;
/** A thousand rules took 33 s on one busy core. */
const compileTimeoutMs = 180_000;
const connectTimeoutMs = 10_000;
/** Answers are cut at varnishd's cli_limit: its default, and one that a VCL of 1 MB fits in. */
const usualLimit = "48k";
const roomyLimit = "4m";
/** Kept of a compiler's words. */
const mostWords = 16_000;

type Line = {
  session: Session | null;
  tail: Promise<unknown>;
  newline: boolean;
  /** Who raises cli_limit: one after the other, or one would put it back while another reads. */
  roomy: Promise<unknown>;
};

const params = (node: VarnishAdmin) => ({ node: node.name, address: node.admin ?? node.admin_listen ?? "" });

/** The answers of one connection, one at a time. */
function talk(node: VarnishAdmin, socket: Socket): Ask {
  const parser = new FrameParser();
  const ready: CliFrame[] = [];
  let waiting: { resolve: (frame: CliFrame) => void; reject: (error: AppError) => void } | null = null;
  let broken: AppError | null = null;
  const fail = (error: AppError) => {
    broken ??= error;
    socket.destroy();
    waiting?.reject(broken);
    waiting = null;
  };
  socket.on("data", (chunk) => {
    try {
      ready.push(...parser.push(chunk));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return fail(
        new AppError("BAD_ANSWER", `${node.admin}: ${error.message}.`, {
          problem: "varnish.notCli",
          params: params(node),
          cause: error,
        }),
      );
    }
    const frame = waiting ? ready.shift() : undefined;
    if (frame) {
      waiting?.resolve(frame);
      waiting = null;
    }
  });
  socket.on("error", (error) => fail(wireError(error, node.admin ?? node.name)));
  socket.on("close", () =>
    fail(
      new AppError("UNREACHABLE", `${node.name}'s CLI closed the connection.`, {
        problem: "varnish.cliClosed",
        params: params(node),
      }),
    ),
  );
  return (line, signal) =>
    new Promise<CliFrame>((resolve, reject) => {
      if (broken) return reject(broken);
      // An answer that nobody waits for any more would be taken for the next one's: the connection goes with it.
      const stop = () => fail(new AppError("CANCELLED", "Stopped before Varnish's CLI answered."));
      const ms = line?.startsWith("vcl.inline ") ? compileTimeoutMs : commandTimeoutMs;
      const timer = setTimeout(
        () =>
          fail(
            new AppError("TIMEOUT", `${node.name}'s CLI did not answer within ${ms} ms.`, {
              problem: "varnish.cliTimeout",
              params: { ...params(node), ms },
            }),
          ),
        ms,
      );
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
      };
      waiting = {
        resolve: (frame) => {
          end();
          resolve(frame);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      if (signal?.aborted) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      const early = ready.shift();
      if (early) {
        waiting.resolve(early);
        waiting = null;
      }
      if (line !== null) socket.write(line);
    });
}

const wrongSecret = (node: VarnishAdmin, cause?: unknown) =>
  new AppError(
    "UPSTREAM_AUTH",
    `${node.name}'s CLI does not accept the secret: it must be what its -S file holds.`,
    {
      problem: node.secret === undefined ? "varnish.noSecret" : "varnish.secret",
      params: params(node),
      cause,
    },
  );

/** The secret with its last newline, or without. Editors and environments lose it, and Varnish counts it. */
function secretBytes(secret: string, newline: boolean): Buffer {
  const bare = secret.replace(/\r?\n$/, "");
  return Buffer.from(newline ? `${bare}\n` : bare, "utf8");
}

async function open(node: VarnishAdmin, newline: boolean): Promise<Session> {
  if (node.admin_listen !== undefined) return dialledIn(node.name, node.admin_listen);
  if (!node.admin) {
    throw new AppError(
      "NOT_CONFIGURED",
      `${node.name} has no management address: set admin and secret_file in sluice.yaml.`,
      {
        problem: "varnish.noAdmin",
        params: params(node),
      },
    );
  }
  const socket = await openTcp(node.admin, connectTimeoutMs);
  socket.unref();
  return greet(node, socket, newline);
}

/** Lets a fresh connection's CLI take our secret, with its last newline or without. Throws as `command`; the socket is closed then. */
export async function greet(
  node: VarnishAdmin,
  socket: Socket,
  newline: boolean,
  signal?: AbortSignal,
): Promise<Session> {
  const ask = talk(node, socket);
  try {
    let frame = await ask(null, signal);
    if (frame.status === 107) {
      if (node.secret === undefined) throw wrongSecret(node);
      const answer = authAnswer(frame.body.slice(0, 32), secretBytes(node.secret, newline));
      frame = await ask(`auth ${answer}\n`, signal);
      if (frame.status === 107 || frame.status === 500) throw wrongSecret(node);
    }
    if (frame.status !== 200) throw failure(node, "hello", frame);
    return { socket, banner: frame.body, ask };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function openEither(node: VarnishAdmin, line: Line): Promise<Session> {
  try {
    return await open(node, line.newline);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "UPSTREAM_AUTH" || node.secret === undefined)
      throw error;
  }
  const session = await open(node, !line.newline);
  line.newline = !line.newline;
  return session;
}

function failure(node: VarnishAdmin, verb: string, frame: CliFrame): AppError {
  const says = frame.body
    .replace(/[^\x20-\x7e\n]+/g, " ")
    .trim()
    .slice(0, 2000);
  const detail = { params: { ...params(node), verb, status: frame.status, says: says.slice(0, 300) } };
  if (frame.status === 201) {
    return new AppError("BAD_ANSWER", `${node.name} cut its answer to ${verb}: raise varnishd's cli_limit.`, {
      problem: "varnish.truncated",
      ...detail,
    });
  }
  if (frame.status === 400) {
    return new AppError("UNREACHABLE", `${node.name}: the manager does not reach its child (${says}).`, {
      problem: "varnish.child",
      ...detail,
    });
  }
  return new AppError("REFUSED", `${node.name} refuses ${verb} (${frame.status}): ${says}`, {
    problem: "varnish.cli",
    ...detail,
  });
}

const lines = () => singleton("systems.varnish.cli", () => new Map<string, Line>());

/** Closes the connection to one node, or to all (tests, changed settings, and a runtime that stops). */
export function closeCli(name?: string): void {
  for (const [key, line] of lines()) {
    if (name !== undefined && !key.startsWith(`${name}\n`)) continue;
    line.session?.socket.destroy();
    lines().delete(key);
  }
}

/**
 * Runs one command and gives its text. Commands to one node run one after the other.
 * Throws AppError NOT_CONFIGURED, UNREACHABLE, TIMEOUT, UPSTREAM_AUTH, REFUSED (Varnish's own words in params.says), BAD_ANSWER.
 */
export async function command(
  node: VarnishAdmin,
  verb: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const frame = await framed(node, verb, args, signal);
  if (frame.status !== 200) throw failure(node, verb, frame);
  return frame.body;
}

function lineOf(node: VarnishAdmin): Line {
  const key = `${node.name}\n${node.admin ?? node.admin_listen}\n${node.secret}`;
  const known = lines().get(key);
  if (known !== undefined) return known;
  const line: Line = { session: null, tail: Promise.resolve(), newline: true, roomy: Promise.resolve() };
  lines().set(key, line);
  return line;
}

/** `again`: the connection was lost before the answer, so that the node may have been told twice. */
type Answered = CliFrame & { readonly again: boolean };

/** As `command`, but what Varnish refuses is an answer as well. */
async function framed(
  node: VarnishAdmin,
  verb: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<Answered> {
  const written = commandLine(verb, args);
  const line = lineOf(node);
  const turn = line.tail.then(async () => {
    if (signal?.aborted) throw new AppError("CANCELLED", "Stopped before its turn.");
    const kept = line.session !== null && !line.session.socket.destroyed;
    if (!kept) line.session = await openEither(node, line);
    try {
      return { ...(await ask(line, written, signal)), again: false };
    } catch (error) {
      line.session?.socket.destroy();
      line.session = null;
      // The manager was restarted since the last command and never saw this one; or the connection was lost.
      if (!kept || !(error instanceof AppError) || error.code !== "UNREACHABLE") throw error;
      line.session = await openEither(node, line);
      return { ...(await ask(line, written, signal)), again: true };
    }
  });
  line.tail = turn.catch(() => {});
  return turn;
}

function ask(line: Line, written: string, signal: AbortSignal | undefined): Promise<CliFrame> {
  if (!line.session) throw new AppError("INTERNAL", "There is no session to ask.");
  return line.session.ask(written, signal);
}

/** A -j answer: [version, [argv], epoch, …items], the items checked. */
async function listed<T>(
  node: VarnishAdmin,
  verb: string,
  item: z.ZodType<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const text = await command(node, verb, ["-j"], signal);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const checked = z.tuple([z.number(), z.array(z.string()), z.number()], item).safeParse(answer);
  if (!checked.success) {
    throw new AppError("BAD_ANSWER", `${node.name}'s answer to ${verb} is not understood.`, {
      problem: "varnish.cliAnswer",
      params: { ...params(node), verb },
    });
  }
  return checked.data.slice(3) as T[];
}

/** The child's state in Varnish's word: running, stopped, starting… Throws as `command`. */
export async function status(node: VarnishAdmin, signal?: AbortSignal): Promise<string> {
  const text = await command(node, "status", [], signal);
  return /state (\w+)/.exec(text)?.[1] ?? text.trim();
}

/** The manager's and the child's process ids; worker null when no child runs. */
export async function pid(
  node: VarnishAdmin,
  signal?: AbortSignal,
): Promise<{ master: number; worker: number | null }> {
  const text = await command(node, "pid", [], signal);
  const master = Number(/Master:\s*(\d+)/.exec(text)?.[1]);
  const worker = /Worker:\s*(\d+)/.exec(text)?.[1];
  return { master, worker: worker === undefined ? null : Number(worker) };
}

const vcl = z.object({
  status: z.string(),
  state: z.string(),
  temperature: z.string(),
  /** Without its child, the manager does not say it. */
  busy: z.number().default(0),
  name: z.string(),
});
export type LoadedVcl = z.infer<typeof vcl>;
/** The VCLs that are loaded; the one that serves has status "active". */
export const vclList = (node: VarnishAdmin, signal?: AbortSignal): Promise<LoadedVcl[]> =>
  listed(node, "vcl.list", vcl, signal);

const banRow = z.object({
  time: z.number(),
  refs: z.number(),
  completed: z.boolean(),
  spec: z.string().optional(),
});
export type BanRow = z.infer<typeof banRow>;
/** The bans in force, newest first; a completed one has lost its words. `time`: seconds since the epoch. */
export const banList = (node: VarnishAdmin, signal?: AbortSignal): Promise<BanRow[]> =>
  listed(node, "ban.list", banRow, signal);

const backendRow = z.record(
  z.string(),
  z.object({
    type: z.string(),
    admin_health: z.string(),
    /** [good looks, looks, "healthy" or "sick"], or the word alone where there is no probe. */
    probe_message: z.union([z.string(), z.tuple([z.number(), z.number(), z.string()])]),
  }),
);
/** `admin`: "probe", or what somebody set by hand; `probe`: what its probe says, such as "5/8 healthy". */
export type Backend = {
  readonly name: string;
  readonly healthy: boolean;
  readonly admin: string;
  readonly probe: string;
};
/** The backends and whether they are asked now: by their probe, unless somebody has set them by hand. */
export async function backendList(node: VarnishAdmin, signal?: AbortSignal): Promise<Backend[]> {
  const rows = await listed(node, "backend.list", backendRow, signal);
  return rows
    .flatMap((row) => Object.entries(row))
    .map(([name, { admin_health, probe_message }]) => {
      const told = typeof probe_message === "string" ? probe_message : probe_message[2];
      const state = admin_health === "probe" ? told : admin_health;
      const probe =
        typeof probe_message === "string" ? probe_message : `${probe_message[0]}/${probe_message[1]} ${told}`;
      return { name, healthy: state !== "sick", admin: admin_health, probe };
    });
}

/** The backends, the sick ones first. Throws AppError. */
export const backends = async (node: VarnishAdmin, signal?: AbortSignal): Promise<Snapshot> =>
  snapshot(
    "backends",
    ["backend", "health", "probe", "admin"],
    (await backendList(node, signal))
      .sort((a, b) => Number(a.healthy) - Number(b.healthy))
      .map(({ name, healthy, admin, probe }) => [name, healthy ? "healthy" : "sick", probe, admin]),
  );

/** One test of a ban. Only what the object carries can be named: a ban on req.* would stay for ever and slow every hit. */
export type BanCondition = {
  readonly field: `obj.http.${string}` | "obj.status";
  readonly operator: "==" | "!=" | "~" | "!~";
  readonly value: string;
};

/** The arguments of a ban, checked. Throws AppError INVALID_INPUT. */
export function banArguments(conditions: readonly BanCondition[]): string[] {
  const refuse = (what: string) =>
    new AppError("INVALID_INPUT", `A ban cannot be made of that: ${what}.`, {
      problem: "varnish.ban",
      params: { what },
    });
  if (conditions.length === 0 || conditions.length > 8) throw refuse("1 to 8 conditions are needed");
  const args: string[] = [];
  for (const { field, operator, value } of conditions) {
    if (!/^obj\.(status|http\.[a-z0-9][a-z0-9_-]{0,63})$/i.test(field))
      throw refuse("only obj.http.<header> and obj.status are allowed");
    if (!["==", "!=", "~", "!~"].includes(operator)) throw refuse("an unknown operator");
    if (value === "" || value.length > 4000 || /[^\x20-\x7e]/.test(value))
      throw refuse("the value is empty, too long or not plain text");
    if (field === "obj.status" && (!/^\d{1,3}$/.test(value) || operator.includes("~")))
      throw refuse("a status is a number");
    // Varnish undoes the quotes and then splits at spaces again: "x && req.url ~ y" would be two conditions.
    const word = operator.includes("~") ? banRegex(value) : value;
    if (/[\s"'\\]/.test(word) && !operator.includes("~"))
      throw refuse("a compared value is one word without quotes");
    if (word === "&&") throw refuse("the value is no value");
    if (args.length > 0) args.push("&&");
    args.push(field, operator, word);
  }
  return args;
}

/** Adds a ban. A regex is PCRE and compiled by Varnish: what it refuses is REFUSED with its words. Throws as `command`. */
export async function addBan(
  node: VarnishAdmin,
  conditions: readonly BanCondition[],
  signal?: AbortSignal,
): Promise<void> {
  await command(node, "ban", banArguments(conditions), signal);
}

/** What a node is told of a VCL: only letters, digits, _ and -, so that a name is never another argument or command. */
const vclName = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;

function named(name: string): string {
  if (vclName.test(name)) return name;
  throw new AppError(
    "INVALID_INPUT",
    "A VCL's name has letters, digits, _ and -, and begins with a letter.",
    {
      problem: "varnish.vclName",
      params: {},
    },
  );
}

/**
 * A compiler's first sentence and the line it names. The rest quotes the source, which may hold secrets, and an error is kept in the
 * history that everybody reads.
 */
export function sentenceOf(says: string): string {
  const [first = ""] = says
    .replace(/^\s*Message from VCC-compiler:\n/, "")
    .trim()
    .split("\n");
  const bare = first
    .replace(/\(?(?:At:? )?\(?'[^']*' Line \d.*$/, "")
    .replace(/"[^"]*"?/g, '"…"')
    .trim()
    .slice(0, 200);
  const line = /' Line (\d+)/.exec(says)?.[1];
  return line === undefined ? bare : `${bare} (line ${line})`;
}

/** What the compiler said against a VCL: `says` are the words of `vcl.inline`, whole; the message has no source in it. */
export class CompileError extends AppError {
  constructor(
    node: VarnishAdmin,
    readonly says: string,
  ) {
    const told = sentenceOf(says);
    super("REFUSED", `${node.name} does not compile it: ${told}`, {
      problem: "varnish.compile",
      params: { ...params(node), says: told },
    });
  }
}

/**
 * Compiles a VCL and keeps it under a name, without serving it. It may take 15 s. "cold": its probes do not run.
 * Throws CompileError (the compiler's words, or those of a vcl_init that failed), else as `command`.
 */
export async function vclInline(
  node: VarnishAdmin,
  name: string,
  text: string,
  signal?: AbortSignal,
  state: "auto" | "cold" = "auto",
): Promise<void> {
  const frame = await framed(node, "vcl.inline", [named(name), text, state], signal);
  if (frame.status === 200) return;
  // The first time it was heard, and only its answer was lost.
  if (frame.again && /^Already a VCL named /.test(frame.body)) return;
  // 106: the compiler; 300: its vcl_init, after it was compiled.
  if (frame.status === 106 || frame.status === 300)
    throw new CompileError(node, maskedText(frame.body.slice(0, mostWords)).trim());
  throw failure(node, "vcl.inline", frame);
}

/** Serves this VCL from now on. Throws as `command`. */
export async function vclUse(node: VarnishAdmin, name: string, signal?: AbortSignal): Promise<void> {
  await command(node, "vcl.use", [named(name)], signal);
}

/** Gives a loaded VCL a label, by which `return (vcl(label))` finds it; one that stood on another VCL moves. Throws as `command`. */
export async function vclLabel(
  node: VarnishAdmin,
  label: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  await command(node, "vcl.label", [named(label), named(name)], signal);
}

/** Lets a VCL go; one that is not there is no error. One that is still used by requests goes when they end. Throws as `command`. */
export async function vclDiscard(node: VarnishAdmin, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await command(node, "vcl.discard", [named(name)], signal);
  } catch (error) {
    const gone = (await vclList(node, signal)).every(
      (one) => one.name !== name || one.status === "discarded",
    );
    if (!gone) throw error;
  }
}

/** A VCL's own text: its main file, then what it includes from the node's disk. The built-in VCL is left out. */
export type ShownVcl = { readonly path: string; readonly text: string }[];

/**
 * What a VCL is made of, as the node keeps it. Of a long one, `cli_limit` is raised for the moment of the question.
 * Throws as `command`; BAD_ANSWER where it is cut all the same.
 */
export async function vclShow(node: VarnishAdmin, name: string, signal?: AbortSignal): Promise<ShownVcl> {
  const args = ["-v", named(name)];
  const frame = await framed(node, "vcl.show", args, signal);
  if (frame.status === 200) return shownFiles(frame.body);
  if (frame.status !== 201) throw failure(node, "vcl.show", frame);
  const line = lineOf(node);
  const shown = line.roomy.then(() =>
    withRoom(node, signal, async () => shownFiles(await command(node, "vcl.show", args, signal))),
  );
  line.roomy = shown.catch(() => {});
  return shown;
}

/** Does something while `cli_limit` is high, and leaves the node as it was. */
async function withRoom<T>(
  node: VarnishAdmin,
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  const told = await command(node, "param.show", ["cli_limit"], signal);
  const before = /Value is:\s+(\d+[a-zA-Z]*)/.exec(told)?.[1]?.toLowerCase();
  await command(node, "param.set", ["cli_limit", roomyLimit], signal);
  try {
    return await act();
  } finally {
    // Also when somebody stopped waiting. Our own limit was left by one that was killed here: it is not what the node had.
    const usual = before === undefined || before === roomyLimit ? usualLimit : before;
    // A node that is gone meanwhile comes back with its own.
    await command(node, "param.set", ["cli_limit", usual]).catch(() => {});
  }
}

/** Cuts what `vcl.show -v` says at its marks: "// VCL.SHOW <index> <bytes> <path>", then so many bytes. */
export function shownFiles(answer: string): ShownVcl {
  const bytes = Buffer.from(answer, "utf8");
  const files: { path: string; text: string }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\n", at);
    const mark = /^\/\/ VCL\.SHOW \d+ (\d+) (.+)$/.exec(
      bytes.toString("utf8", at, end < 0 ? bytes.length : end),
    );
    if (mark === null || end < 0) {
      // Between two files stands an empty line.
      at = end < 0 ? bytes.length : end + 1;
      continue;
    }
    const [, length = "0", path = ""] = mark;
    const from = end + 1;
    at = from + Number(length);
    if (!/^(<builtin>|Builtin)$/.test(path)) files.push({ path, text: bytes.toString("utf8", from, at) });
  }
  return files;
}

/** Varnish's version, from the words it greets with. */
export async function version(node: VarnishAdmin, signal?: AbortSignal): Promise<string | null> {
  return /varnish-([\d.]+)/i.exec(await command(node, "banner", [], signal))?.[1] ?? null;
}
