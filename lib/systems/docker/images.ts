// Images on an engine: what they were made with, and getting one from a registry with its progress.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { call, dial, openStream } from "./engine";
import { jsonLines } from "./json-lines";
import type { DockerEngine } from "./target";

const imageAnswer = z.object({
  Id: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  RepoDigests: z.array(z.string()).nullish(),
  Created: z.string().nullish(),
  Size: z.number().nullish(),
  Os: z.string().nullish(),
  Architecture: z.string().nullish(),
  Variant: z.string().nullish(),
  /** What a container inherits where it says nothing itself. */
  Config: z
    .looseObject({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});
export type ImageDetail = z.infer<typeof imageAnswer>;

/** An image by id, tag or digest, or null when this engine has none of that name. Throws as `call`. */
export async function inspectImage(engine: DockerEngine, reference: string): Promise<ImageDetail | null> {
  try {
    return await call(engine, imageAnswer, (docker, abortSignal) =>
      docker.getImage(imageRef(reference)).inspect({ abortSignal } as object),
    );
  } catch (error) {
    if (error instanceof AppError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

/** A reference as it may stand in a path: no query, no empty or dotted part. Throws AppError INVALID_INPUT. */
function imageRef(reference: string): string {
  if (/^[\w][\w.\-:/@]*$/.test(reference) && !/(^|\/)\.{0,2}(\/|$)/.test(reference)) return reference;
  throw new AppError("INVALID_INPUT", "That is no name of an image.", {
    problem: "docker.badImage",
    params: { image: reference.slice(0, 80) },
  });
}

const progressAnswer = z.object({
  status: z.string().nullish(),
  id: z.string().nullish(),
  progressDetail: z.object({ current: z.number().nullish(), total: z.number().nullish() }).nullish(),
  error: z.string().nullish(),
  errorDetail: z.object({ message: z.string().nullish() }).nullish(),
});

/** How far a pull is: bytes over the layers whose size is known by now. */
export type PullProgress = { readonly done: number; readonly total: number };
export type RegistryLogin = {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
};

/** A pull that says nothing for so long is given up. */
const silenceMs = 120_000;

/**
 * Gets `repository` at `tag` (a tag or a digest) and resolves when the engine has it. Throws AppError CANCELLED, NOT_FOUND,
 * UPSTREAM_AUTH, TIMEOUT, UNREACHABLE, REFUSED (what the registry or the engine says), and as `openStream`.
 */
export async function pullImage(
  engine: DockerEngine,
  repository: string,
  tag: string,
  login: RegistryLogin | null,
  signal: AbortSignal,
  onProgress: (progress: PullProgress) => void = () => {},
): Promise<void> {
  const control = new AbortController();
  const stop = () => control.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let silent = false;
  let timer = setTimeout(stop, silenceMs);
  const failed = (says: string): AppError => pullError(`${repository}:${tag}`, says);
  try {
    // The engine answers only when the registry has: that takes as long as it takes.
    const patient = { ...engine, timeout: Math.max(engine.timeout, 60_000) };
    const stream = await openStream(
      patient,
      (docker, abortSignal) =>
        dial(docker, {
          path: "/images/create?",
          method: "POST",
          statusCodes: { 200: true },
          isStream: true,
          abortSignal,
          options: { _query: { fromImage: repository, tag }, _body: {} },
          ...(login === null ? {} : { authconfig: login }),
        }),
      control.signal,
    );
    const layers = new Map<string, PullProgress>();
    for await (const raw of jsonLines(stream, 1024 * 1024)) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        silent = true;
        stop();
      }, silenceMs);
      const read = progressAnswer.safeParse(raw);
      if (!read.success) continue;
      const { error, errorDetail, id, progressDetail, status } = read.data;
      // The status was 200 long ago: a failed pull says so in its stream.
      if (error || errorDetail) throw failed(errorDetail?.message ?? error ?? "");
      if (!id || !status) continue;
      const known = layers.get(id);
      if (status === "Downloading" && progressDetail?.total) {
        layers.set(id, { done: progressDetail.current ?? 0, total: progressDetail.total });
      } else if (known && /complete|Already exists/.test(status)) {
        layers.set(id, { done: known.total, total: known.total });
      }
      let done = 0;
      let total = 0;
      for (const layer of layers.values()) {
        done += layer.done;
        total += layer.total;
      }
      onProgress({ done, total });
    }
  } catch (error) {
    if (signal.aborted) throw new AppError("CANCELLED", "Cancelled.", { cause: error });
    if (silent)
      throw new AppError("TIMEOUT", `The pull of ${repository}:${tag} stood still for two minutes.`, {
        problem: "docker.pullSilent",
        params: { image: `${repository}:${tag}` },
        cause: error,
      });
    if (error instanceof AppError && ["NOT_FOUND", "BAD_ANSWER", "REFUSED"].includes(error.code)) {
      const says = error.detail.params?.says;
      if (typeof says === "string") throw failed(says);
    }
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** What the engine says of a failed pull, in our codes. */
function pullError(image: string, says: string): AppError {
  const params = { image, says: maskedText(says).slice(0, 300) };
  if (/unauthorized|authentication required|denied|no basic auth|forbidden/i.test(says))
    return new AppError("UPSTREAM_AUTH", `The registry does not give ${image} to us: ${params.says}`, {
      problem: "docker.pullDenied",
      params,
    });
  if (/not found|manifest unknown|name unknown|does not exist/i.test(says))
    return new AppError("NOT_FOUND", `The registry has no ${image}: ${params.says}`, {
      problem: "docker.pullNotFound",
      params,
    });
  if (/toomanyrequests|rate limit/i.test(says))
    return new AppError("UPSTREAM_LIMIT", `The registry limits us: ${params.says}`, {
      problem: "docker.pullLimit",
      params,
    });
  return new AppError("REFUSED", `${image} could not be pulled: ${params.says}`, {
    problem: "docker.pullFailed",
    params,
  });
}

/** Makes `reference` (repository[:tag]) name this image on the engine. Throws as `call`. */
export async function tagImage(engine: DockerEngine, id: string, reference: string): Promise<void> {
  const colon = reference.lastIndexOf(":");
  const tagged = colon > reference.lastIndexOf("/");
  const repo = tagged ? reference.slice(0, colon) : reference;
  const tag = tagged ? reference.slice(colon + 1) : "latest";
  await call(engine, z.unknown(), (docker, abortSignal) =>
    docker.getImage(imageRef(id)).tag({ repo, tag, abortSignal } as { repo: string; tag: string }),
  );
}
