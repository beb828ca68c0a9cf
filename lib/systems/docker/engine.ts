// The wire to one Docker Engine: by socket, TCP with TLS or SSH; its version negotiated, its errors in our words.
import type { Readable } from "node:stream";
import Docker from "dockerode";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { singleton } from "../../runtime/singleton";
import { look } from "../look";
import type { Probed } from "../system";
import { SshAgent } from "./ssh-agent";
import { type DockerEngine, portOf, usesTls } from "./target";

/** The newest API that we know; an older engine's own is spoken with it. */
const ourApi = "1.51";
/** A version is asked for anew after this, and after any failure of the wire: the engine may be another one then. */
const versionKeptMs = 300_000;

const olderOf = (one: string, other: string): string => {
  const [a = 0, b = 0] = one.split(".").map(Number);
  const [c = 0, d = 0] = other.split(".").map(Number);
  return a < c || (a === c && b <= d) ? one : other;
};

/** The API version to speak with an engine that says this of itself. Throws AppError REFUSED when there is none in common. */
export function negotiate(
  engine: { readonly ApiVersion: string; readonly MinAPIVersion?: string | undefined },
  ours = ourApi,
): string {
  const version = olderOf(ours, engine.ApiVersion);
  const least = engine.MinAPIVersion;
  if (least !== undefined && olderOf(least, version) !== least) {
    throw new AppError(
      "REFUSED",
      `This Docker Engine speaks API ${least} and newer; Sluice knows up to ${ours}.`,
      {
        problem: "docker.tooNew",
        params: { least, ours },
      },
    );
  }
  return version;
}

/** Where an engine is, for people: never a secret. */
export const whereOf = (engine: DockerEngine): string => engine.url ?? engine.socket;

const apiVersion = z.string().regex(/^\d+\.\d+$/);
const versionAnswer = z.object({
  Version: z.string(),
  ApiVersion: apiVersion,
  MinAPIVersion: apiVersion.optional(),
});

/** The Engine's own word in an answer with an error status; null when somebody else answered, a proxy for example. */
function saidBy(error: Error): string | null {
  const body = "json" in error ? error.json : null;
  return typeof body === "object" && body !== null && "message" in body ? String(body.message) : null;
}

/** What came with an error status, without dockerode's own words around it, and without the secrets of a command in it. */
const saysOf = (error: Error): string =>
  maskedText(saidBy(error) ?? error.message.replace(/^\(HTTP code \d+\) [^-]*- /, ""))
    .trim()
    .slice(0, 400);

const byStatus: Readonly<
  Record<number, { code: "NOT_FOUND" | "CONFLICT" | "REFUSED" | "INVALID_INPUT"; problem: string }>
> = {
  400: { code: "INVALID_INPUT", problem: "docker.badRequest" },
  401: { code: "REFUSED", problem: "docker.forbidden" },
  403: { code: "REFUSED", problem: "docker.forbidden" },
  404: { code: "NOT_FOUND", problem: "docker.notFound" },
  406: { code: "CONFLICT", problem: "docker.notManager" },
  409: { code: "CONFLICT", problem: "docker.conflict" },
};

/** Any failure of a call as an AppError: UNREACHABLE, TIMEOUT, REFUSED, NOT_FOUND, CONFLICT, INVALID_INPUT or BAD_ANSWER. */
export function foreignError(engine: DockerEngine, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 0;
  const where = whereOf(engine);
  const params = { system: engine.name, socket: where };
  const away = (cause: unknown) =>
    new AppError("UNREACHABLE", `No Docker Engine answers at ${where}.`, {
      problem: "docker.noEngine",
      params,
      cause,
    });
  if (error instanceof Error && status > 0) {
    // A proxy in between says so when there is nobody behind it.
    if ([502, 503, 504].includes(status) && saidBy(error) === null) return away(error);
    const says = saysOf(error);
    const known =
      status === 503 && /swarm/i.test(says)
        ? { code: "CONFLICT" as const, problem: "docker.notManager" }
        : (byStatus[status] ?? { code: "BAD_ANSWER" as const, problem: "docker.failed" });
    return new AppError(known.code, `Docker at ${where}: ${says}`, {
      problem: known.problem,
      params: { ...params, says },
      cause: error,
    });
  }
  if (
    [
      "ENOENT",
      "ECONNREFUSED",
      "ENOTSOCK",
      "ENOTFOUND",
      "EHOSTUNREACH",
      "EHOSTDOWN",
      "ENETUNREACH",
      "ETIMEDOUT",
      "ECONNABORTED",
      "ECONNRESET",
      "EPIPE",
      "EAI_AGAIN",
    ].includes(code)
  ) {
    return away(error);
  }
  if (code === "EACCES" || code === "EPERM") {
    return new AppError("REFUSED", `Sluice may not use ${where}: add its user to the socket's group.`, {
      problem: "docker.permission",
      params,
      cause: error,
    });
  }
  if (/^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL|EPROTO|ERR_OSSL)/.test(code)) {
    return new AppError("REFUSED", `${where}: TLS was not accepted (${code}): look at ca, cert and key.`, {
      problem: "docker.tls",
      params: { ...params, reason: code },
      cause: error,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new AppError("BAD_ANSWER", `Docker at ${where}: ${text.slice(0, 200)}`, {
    problem: "docker.failed",
    params: { ...params, says: text.slice(0, 200) },
    cause: error,
  });
}

/** dockerode hands out whatever came, a Buffer when it was no JSON. Throws AppError BAD_ANSWER. */
export function checked<T>(engine: DockerEngine, schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new AppError("BAD_ANSWER", `What answers at ${whereOf(engine)} is not understood.`, {
    problem: "docker.garbage",
    params: { system: engine.name },
    cause: read.error,
  });
}

type Link = {
  /** Where it leads and with which keys, as one text. */
  readonly identity: string;
  /** For calls and streams; without dockerode's own time-out, which would end a stream that is merely quiet. */
  readonly options: Docker.DockerOptions;
  version: { readonly version: string; readonly api: string; readonly at: number } | null;
};

function optionsOf(engine: DockerEngine): Docker.DockerOptions {
  if (engine.url === undefined) return { socketPath: engine.socket };
  const url = new URL(engine.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "ssh:") {
    const agent = new SshAgent(engine);
    return { protocol: "http", host: "docker", port: 80, agent } as Docker.DockerOptions;
  }
  return {
    protocol: usesTls(engine) ? "https" : "http",
    host,
    port: portOf({ ...engine, url: engine.url }),
    ...(engine.ca === undefined ? {} : { ca: engine.ca }),
    ...(engine.cert === undefined ? {} : { cert: engine.cert }),
    ...(engine.key === undefined ? {} : { key: engine.key }),
  };
}

const links = () => singleton("systems.docker.links", () => new Map<string, Link>());

/** One link for each engine's name: when sluice.yaml leads it elsewhere, the connection that is kept to the old place is closed. */
function linkOf(engine: DockerEngine): Link {
  const { name, socket, url, ca, cert, key, host_key } = engine;
  const identity = JSON.stringify({ socket, url, ca, cert, key, host_key });
  const known = links().get(name);
  if (known?.identity === identity) return known;
  if (known !== undefined && "agent" in known.options && known.options.agent instanceof SshAgent)
    known.options.agent.destroy();
  const link: Link = { identity, options: optionsOf(engine), version: null };
  links().set(name, link);
  return link;
}

async function within<T>(
  engine: DockerEngine,
  ms: number,
  act: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const control = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    const end = (error: AppError) => {
      reject(error);
      control.abort();
    };
    timer = setTimeout(
      () =>
        end(
          new AppError("TIMEOUT", `Docker at ${whereOf(engine)} did not answer within ${ms} ms.`, {
            problem: "docker.timeout",
            params: { system: engine.name, ms },
          }),
        ),
      ms,
    );
    stop = () => end(new AppError("CANCELLED", "Cancelled."));
    if (outer?.aborted) stop();
    outer?.addEventListener("abort", stop, { once: true });
  });
  try {
    const answer = act(control.signal);
    // When the time is over nobody looks at this any more.
    answer.catch(() => {});
    return await Promise.race([answer, late]);
  } catch (error) {
    const known = foreignError(engine, error);
    if (known.code !== "NOT_FOUND" && known.code !== "CONFLICT") linkOf(engine).version = null;
    throw known;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", stop);
  }
}

/** The engine's version, and the API version that both speak. Throws AppError UNREACHABLE, TIMEOUT, REFUSED, BAD_ANSWER. */
export async function readVersion(engine: DockerEngine): Promise<{ version: string; api: string }> {
  const link = linkOf(engine);
  const docker = new Docker(link.options);
  // dockerode's types know no signal here.
  const answer = await within<unknown>(engine, engine.timeout, (abortSignal) =>
    dial(docker, { path: "/version", method: "GET", statusCodes: { 200: true }, abortSignal }),
  );
  const said = checked(engine, versionAnswer, answer);
  link.version = { version: said.Version, api: negotiate(said), at: Date.now() };
  return link.version;
}

type Dial = {
  readonly path: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly statusCodes: Readonly<Record<number, boolean | string>>;
  readonly options?: object;
  readonly isStream?: boolean;
  readonly authconfig?: object;
  readonly abortSignal?: AbortSignal;
};

/** A call that dockerode has no method for, or one that it would read into memory whole. */
export const dial = (docker: Docker, request: Dial): Promise<unknown> =>
  new Promise((resolve, reject) => {
    docker.modem.dial(request, (error: unknown, answer: unknown) =>
      error ? reject(error) : resolve(answer),
    );
  });

/** The API version spoken with this engine; asked for when it is not known. Throws as `readVersion`. */
export async function apiOf(engine: DockerEngine): Promise<string> {
  const { version } = linkOf(engine);
  if (version !== null && Date.now() - version.at < versionKeptMs) return version.api;
  return (await readVersion(engine)).api;
}

async function clientOf(engine: DockerEngine): Promise<Docker> {
  return new Docker({ ...linkOf(engine).options, version: `v${await apiOf(engine)}` });
}

/**
 * One call, its answer checked by `schema`. `act` must pass the signal on. Throws AppError UNREACHABLE, TIMEOUT, REFUSED,
 * NOT_FOUND, CONFLICT, INVALID_INPUT, BAD_ANSWER, CANCELLED.
 */
export async function call<T>(
  engine: DockerEngine,
  schema: z.ZodType<T>,
  act: (docker: Docker, abortSignal: AbortSignal) => Promise<unknown>,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const docker = await clientOf(engine);
  const answer = await within<unknown>(
    engine,
    options.timeoutMs ?? engine.timeout,
    (signal) => act(docker, signal),
    options.signal,
  );
  return checked(engine, schema, answer);
}

/**
 * Opens a stream; its first answer must come within the engine's time-out, after that it may be quiet for ever. Abort `signal`
 * or destroy the stream to end it: the reader then sees an error or the end. Throws as `call`.
 */
export async function openStream(
  engine: DockerEngine,
  act: (docker: Docker, abortSignal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Readable> {
  const docker = await clientOf(engine);
  const control = new AbortController();
  const stop = () => control.abort();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const stream = await within<unknown>(engine, engine.timeout, (late) => {
      late.addEventListener("abort", stop, { once: true });
      return act(docker, control.signal);
    });
    if (!isReadable(stream))
      throw new AppError("BAD_ANSWER", "Docker gave no stream.", {
        problem: "docker.garbage",
        params: { system: engine.name },
      });
    const forget = () => signal.removeEventListener("abort", stop);
    stream.once("close", forget);
    return stream;
  } catch (error) {
    signal.removeEventListener("abort", stop);
    throw error;
  }
}

const isReadable = (value: unknown): value is Readable =>
  typeof value === "object" && value !== null && "pipe" in value && typeof value.pipe === "function";

const counted = z.object({
  ContainersRunning: z.int(),
  SystemTime: z.string().nullish(),
  Swarm: z
    .object({ LocalNodeState: z.string().nullish(), ControlAvailable: z.boolean().nullish() })
    .nullish(),
  NCPU: z.int().nullish(),
  MemTotal: z.number().nullish(),
  Name: z.string().nullish(),
  OperatingSystem: z.string().nullish(),
});

/** The host behind an engine. `clockSkewMs`: how far its clock is ahead of ours; null where it does not say. Throws as `call`. */
export async function readInfo(engine: DockerEngine) {
  const before = Date.now();
  const said = await call(engine, counted, (docker, abortSignal) =>
    dial(docker, { path: "/info", method: "GET", statusCodes: { 200: true }, abortSignal }),
  );
  const theirs = said.SystemTime ? Date.parse(said.SystemTime) : Number.NaN;
  return {
    running: said.ContainersRunning,
    swarm: said.Swarm?.LocalNodeState === "active",
    manager: said.Swarm?.ControlAvailable === true,
    cpus: said.NCPU ?? null,
    memory: said.MemTotal ?? null,
    hostname: said.Name ?? null,
    os: said.OperatingSystem ?? null,
    clockSkewMs: Number.isNaN(theirs) ? null : theirs - (before + Date.now()) / 2,
  };
}

/** The engine's version and how many containers run. */
export const probe = (engine: DockerEngine): Promise<Probed> =>
  look(`docker:${engine.name}`, async () => {
    const { version, api } = await readVersion(engine);
    const { running } = await readInfo(engine);
    return { version, facts: { api, running } };
  });
