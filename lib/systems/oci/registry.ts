// A container registry (OCI distribution specification 1.1): manifests, tags, and the token flow of Docker's registries.
import { createHash } from "node:crypto";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { type Answer, exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";
import { digestPattern, isRepository, tagPattern } from "./reference";

/** A registry, as sluice.yaml has it or as an image's name says. */
export type Registry = {
  /** host[:port] as it stands in images' names. */
  readonly name: string;
  /** Base address. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

/** Docker Hub's name in images is not where it answers. */
export const hubUrl = "https://registry-1.docker.io";

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const maxBytes = 4 * 1024 * 1024;

type Token = { readonly header: string; readonly until: number };
const tokens = () => singleton("systems.oci.tokens", () => new Map<string, Token>());

const failed = (
  registry: Registry,
  code: ConstructorParameters<typeof AppError>[0],
  problem: string,
  message: string,
  more: { readonly retryAfterMs?: number; readonly says?: string } = {},
) =>
  new AppError(code, `${registry.name}: ${message}`, {
    problem,
    params: { registry: registry.name, says: more.says ?? "" },
    ...(more.retryAfterMs === undefined ? {} : { retryAfterMs: more.retryAfterMs }),
  });

/** `Bearer realm="…",service="…",scope="…"` as its parts (RFC 9110, 11.6.1). */
export function challengeOf(header: string): { scheme: string; params: Record<string, string> } {
  const [, scheme = "", rest = ""] = /^\s*(\w+)\s*(.*)$/s.exec(header) ?? [];
  const params: Record<string, string> = {};
  // Of several challenges in one header the first counts: what a later one says does not replace it.
  for (const match of rest.matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g))
    params[(match[1] ?? "").toLowerCase()] ??= (match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1");
  return { scheme: scheme.toLowerCase(), params };
}

const basic = ({ username, password }: Registry): string | null =>
  username === undefined || password === undefined
    ? null
    : `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

const tokenAnswer = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().nullish(),
});

function urlOf(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/**
 * Where a registry makes its tokens (`realm` of its challenge). Throws AppError BAD_ANSWER when it is no address, or one without
 * TLS for a registry with it: credentials go nowhere in clear that was not in clear before.
 */
export function tokenAddress(registry: Registry, realm: string): URL {
  const url = urlOf(realm);
  if (url === null)
    throw failed(registry, "BAD_ANSWER", "oci.badChallenge", "it asks for a sign-in that we do not know.");
  if (!noWorse(registry, url))
    throw failed(
      registry,
      "BAD_ANSWER",
      "oci.unsafeRealm",
      "it sends us for a token to an address without TLS.",
    );
  return url;
}

/** Whether an address is as well protected as the registry itself. */
const noWorse = (registry: Registry, url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && new URL(registry.url).protocol === "http:");

/** Gets what a 401 asks for. Throws AppError UPSTREAM_AUTH, BAD_ANSWER, and as `exchange`. */
async function authorise(registry: Registry, challenge: string, signal?: AbortSignal): Promise<Token> {
  const { scheme, params } = challengeOf(challenge);
  const login = basic(registry);
  if (scheme === "basic") {
    if (login === null)
      throw failed(registry, "UPSTREAM_AUTH", "oci.loginNeeded", "it wants a user name and a password.");
    return { header: login, until: Date.now() + 300_000 };
  }
  if (scheme !== "bearer")
    throw failed(registry, "BAD_ANSWER", "oci.badChallenge", "it asks for a sign-in that we do not know.");
  const realm = tokenAddress(registry, params.realm ?? "");
  const query = new URLSearchParams(realm.search);
  if (params.service) query.set("service", params.service);
  if (params.scope) query.set("scope", params.scope);
  const answer = await exchange({
    base: realm.origin,
    path: `${realm.pathname}?${query}`,
    headers: { accept: "application/json", ...(login === null ? {} : { authorization: login }) },
    timeoutMs: registry.timeout,
    signal,
    maxBytes: 256 * 1024,
  });
  if (answer.status === 401 || answer.status === 403)
    throw failed(registry, "UPSTREAM_AUTH", "oci.wrongLogin", "user name and password are not accepted.");
  refuseLimit(registry, answer);
  const said = tokenAnswer.safeParse(jsonOf(answer));
  const token = said.data?.token ?? said.data?.access_token;
  // What cannot stand in a header is no token.
  if (answer.status !== 200 || !token || !/^[\x21-\x7e]+$/.test(token))
    throw failed(registry, "BAD_ANSWER", "oci.noToken", `no token came from ${realm.host}.`);
  return { header: `Bearer ${token}`, until: Date.now() + (said.data?.expires_in ?? 60) * 1000 - 5000 };
}

const jsonOf = (answer: Answer): unknown => {
  try {
    return JSON.parse(Buffer.from(answer.body).toString("utf8"));
  } catch {
    return null;
  }
};

function refuseLimit(registry: Registry, answer: Answer): void {
  if (answer.status !== 429) return;
  const after = answer.headers["retry-after"] ?? "";
  const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  throw failed(registry, "UPSTREAM_LIMIT", "oci.limit", "it limits us for now.", {
    retryAfterMs: Number.isFinite(ms) && ms > 0 ? ms : 60_000,
  });
}

type Ask = {
  readonly method?: "GET" | "HEAD";
  readonly path: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether a redirect is an answer. */
  readonly redirect?: boolean;
};

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** One call, with a token where one is wanted. Throws AppError UPSTREAM_AUTH, UPSTREAM_LIMIT, NOT_FOUND, BAD_ANSWER, and as `exchange`. */
async function ask(
  registry: Registry,
  { method = "GET", path, accept, signal, redirect = false }: Ask,
): Promise<Answer> {
  // A token is good for one repository (its scope), or for the catalogue.
  const scope = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(path)?.[1] ?? path;
  const key = JSON.stringify([registry.url, registry.username, registry.password, scope]);
  const send = (token: Token | undefined) =>
    exchange({
      base: registry.url,
      path,
      method,
      headers: {
        accept: accept ?? "application/json",
        ...(token === undefined ? {} : { authorization: token.header }),
      },
      timeoutMs: registry.timeout,
      signal,
      maxBytes,
    });
  const known = tokens().get(key);
  const fresh = known !== undefined && known.until > Date.now() ? known : undefined;
  let answer = await send(fresh);
  if (answer.status === 401) {
    const token = await authorise(registry, answer.headers["www-authenticate"] ?? "", signal);
    if (tokens().size > 500) tokens().clear();
    tokens().set(key, token);
    answer = await send(token);
  }
  if (answer.status === 401 || answer.status === 403) {
    const used = tokens().get(key)?.header ?? "";
    tokens().delete(key);
    if (basic(registry) === null)
      throw failed(registry, "UPSTREAM_AUTH", "oci.loginNeeded", "it does not give this to everybody.");
    // Sent directly, they are what a 401 is about; a token was made from good ones.
    if (answer.status === 401 && used.startsWith("Basic "))
      throw failed(registry, "UPSTREAM_AUTH", "oci.wrongLogin", "user name and password are not accepted.");
    throw failed(registry, "UPSTREAM_AUTH", "oci.denied", "we may not read this.");
  }
  refuseLimit(registry, answer);
  if (answer.status === 404) throw failed(registry, "NOT_FOUND", "oci.notFound", "it has no such image.");
  if (answer.status !== 200 && !(redirect && redirects.includes(answer.status)))
    throw failed(registry, "BAD_ANSWER", "oci.failed", `it answered ${answer.status}.`, {
      says: String(answer.status),
    });
  return answer;
}

/**
 * Whether a registry answers, how it wants to know who asks, and which API it says it speaks ("registry/2.0", null where it does
 * not). No credentials are sent. Throws AppError UPSTREAM_LIMIT, BAD_ANSWER (no registry), and as `exchange`.
 */
export async function ping(
  registry: Registry,
): Promise<{ version: string | null; auth: "none" | "basic" | "bearer" }> {
  const answer = await exchange({ base: registry.url, path: "/v2/", timeoutMs: registry.timeout, maxBytes });
  refuseLimit(registry, answer);
  const version = answer.headers["docker-distribution-api-version"] ?? null;
  // Many a web server answers 200 with a page to everything.
  const itself = version !== null || answer.body.length === 0 || jsonOf(answer) !== null;
  if (answer.status === 200 && itself) return { version, auth: "none" };
  const { scheme } = challengeOf(answer.headers["www-authenticate"] ?? "");
  if (answer.status === 401 && (scheme === "basic" || scheme === "bearer")) return { version, auth: scheme };
  throw failed(
    registry,
    "BAD_ANSWER",
    "oci.noRegistry",
    `what answers there is no registry (${answer.status}).`,
  );
}

const descriptor = z.object({
  digest: z.string().regex(digestPattern),
  size: z.int().nonnegative(),
  mediaType: z.string().nullish(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullish() }).nullish(),
});
const manifestAnswer = z.object({
  mediaType: z.string().nullish(),
  manifests: z.array(descriptor).nullish(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
};
export type Manifest = {
  /** Of the bytes themselves. */
  readonly digest: string;
  /** What it says it is; null where neither it nor the registry does. */
  readonly mediaType: string | null;
  /** Of an index: what there is for each platform. Null for one image. */
  readonly platforms: readonly (Platform & { readonly digest: string })[] | null;
  /** Compressed bytes of all layers, and the digest of the image's configuration (its id); null for an index. */
  readonly size: number | null;
  readonly config: string | null;
  /** ISO, when its annotations tell; `imageDetail` knows it of nearly every image. */
  readonly createdAt: string | null;
};

/** A repository in an address. Throws AppError INVALID_INPUT for what would lead elsewhere ("../.."). */
function below(repository: string): string {
  if (isRepository(repository)) return `/v2/${repository}`;
  throw new AppError("INVALID_INPUT", `${repository.slice(0, 120)} is no name of a repository.`, {
    problem: "oci.badRepository",
    params: { image: repository.slice(0, 120) },
  });
}

function inPath(repository: string, reference: string): string {
  if (tagPattern.test(reference) || digestPattern.test(reference))
    return `${below(repository)}/manifests/${reference}`;
  throw new AppError("INVALID_INPUT", `${reference.slice(0, 120)} is neither a tag nor a digest.`, {
    problem: "oci.badTag",
    params: { image: reference.slice(0, 120) },
  });
}

const isoOf = (text: string | null | undefined): string | null => {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : new Date(at).toISOString();
};

/** Throws AppError BAD_ANSWER when bytes are not what their digest says. */
function checkDigest(registry: Registry, what: string, bytes: Uint8Array, digest: string): void {
  const [algorithm = ""] = digest.split(":");
  if (digestPattern.test(digest) && digest === `${algorithm}:${hash(algorithm, bytes)}`) return;
  throw failed(registry, "BAD_ANSWER", "oci.wrongDigest", `${what} is not what its digest says.`);
}

const hash = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");

const mediaTypeOf = ({ headers }: Answer): string | null =>
  headers["content-type"]?.split(";")[0]?.trim() || null;

/** How many pulls are left: Docker Hub's "RateLimit-Remaining: 76;w=21600", of a window of so many seconds. */
export type PullLimit = { readonly remaining: number; readonly windowS: number | null };

/** Reads RateLimit-Remaining; null where a registry has no limit or says it otherwise. */
export function pullLimitOf(headers: Readonly<Record<string, string>>): PullLimit | null {
  const match = /^\s*(\d{1,12})\s*(?:;.*?\bw=(\d{1,12}))?/.exec(headers["ratelimit-remaining"] ?? "");
  if (match === null) return null;
  return { remaining: Number(match[1]), windowS: match[2] === undefined ? null : Number(match[2]) };
}

/**
 * The digest behind a tag now. A HEAD, which Docker Hub does not count as a pull; where a registry tells no digest with it, the
 * manifest is read. Throws AppError NOT_FOUND, INVALID_INPUT, BAD_ANSWER, UPSTREAM_AUTH, UPSTREAM_LIMIT, and as `exchange`.
 */
export async function headManifest(
  registry: Registry,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<{ digest: string; mediaType: string | null; limit: PullLimit | null }> {
  const answer = await ask(registry, {
    method: "HEAD",
    path: inPath(repository, reference),
    accept: manifestTypes,
    signal,
  });
  const limit = pullLimitOf(answer.headers);
  const told = answer.headers["docker-content-digest"];
  if (told !== undefined && digestPattern.test(told))
    return { digest: told, mediaType: mediaTypeOf(answer), limit };
  const { digest, mediaType } = await readManifest(registry, repository, reference, signal);
  return { digest, mediaType, limit };
}

/** A tag's or digest's manifest. Throws AppError BAD_ANSWER (also: its bytes are not what its digest says), and as `headManifest`. */
export async function readManifest(
  registry: Registry,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const answer = await ask(registry, { path: inPath(repository, reference), accept: manifestTypes, signal });
  const told = answer.headers["docker-content-digest"];
  const asked = digestPattern.test(reference) ? reference : undefined;
  for (const digest of [told, asked])
    if (digest !== undefined) checkDigest(registry, `the manifest of ${repository}`, answer.body, digest);
  const digest = asked ?? told ?? `sha256:${hash("sha256", answer.body)}`;
  const read = manifestAnswer.safeParse(jsonOf(answer));
  if (!read.success || (!read.data.manifests && !read.data.layers))
    throw failed(
      registry,
      "BAD_ANSWER",
      "oci.badManifest",
      `the manifest of ${repository} is not understood.`,
    );
  const { manifests, layers, config, mediaType, annotations } = read.data;
  return {
    digest,
    mediaType: mediaType ?? mediaTypeOf(answer),
    platforms:
      manifests?.flatMap((one) =>
        // Attestations stand in an index as platform unknown/unknown.
        one.platform && one.platform.os !== "unknown" ? [{ ...one.platform, digest: one.digest }] : [],
      ) ?? null,
    size: layers?.reduce((sum, layer) => sum + layer.size, 0) ?? null,
    config: config?.digest ?? null,
    createdAt: isoOf(annotations?.["org.opencontainers.image.created"]),
  };
}

const configAnswer = z.object({
  created: z.string().nullish(),
  config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});

export type ImageDetail = {
  /** Of the tag: an index's, where there is one. */
  readonly digest: string;
  /** Of the image for this platform. */
  readonly platformDigest: string;
  /** The image's id, as docker shows it. */
  readonly imageId: string | null;
  /** Compressed bytes. */
  readonly size: number | null;
  readonly createdAt: string | null;
  /** What it gives its containers: names of the environment with their values, and labels. Null where it is not to be had. */
  readonly env: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>> | null;
};

/** What stands behind a tag for one platform. Throws AppError NOT_FOUND (also when it has nothing for that platform), and as `ask`. */
export async function imageDetail(
  registry: Registry,
  repository: string,
  reference: string,
  platform: Platform,
  signal?: AbortSignal,
): Promise<ImageDetail> {
  const top = await readManifest(registry, repository, reference, signal);
  const own = top.platforms?.find(
    ({ os, architecture, variant }) =>
      os === platform.os &&
      architecture === platform.architecture &&
      (!platform.variant || !variant || variant === platform.variant),
  );
  if (top.platforms !== null && own === undefined)
    throw failed(
      registry,
      "NOT_FOUND",
      "oci.noPlatform",
      `${repository} has nothing for ${platform.os}/${platform.architecture}.`,
    );
  const image = own === undefined ? top : await readManifest(registry, repository, own.digest, signal);
  return {
    digest: top.digest,
    platformDigest: image.digest,
    imageId: image.config,
    size: image.size,
    ...(await configOf(registry, repository, image.config, signal)),
  };
}

/** What an image's configuration says; nulls where it is not to be had: a date is worth no failure. Throws only CANCELLED. */
async function configOf(
  registry: Registry,
  repository: string,
  config: string | null,
  signal?: AbortSignal,
): Promise<Pick<ImageDetail, "createdAt" | "env" | "labels">> {
  const unknown = { createdAt: null, env: null, labels: null };
  if (config === null) return unknown;
  try {
    const answer = await readBlob(registry, repository, config, signal);
    const said = configAnswer.parse(jsonOf(answer));
    return {
      createdAt: isoOf(said.created),
      env: said.config?.Env ?? [],
      labels: said.config?.Labels ?? {},
    };
  } catch (error) {
    if (signal?.aborted) throw error;
    return unknown;
  }
}

const mostRedirects = 3;

/**
 * A small blob, up to 4 MB. Large registries keep blobs at a storage elsewhere: we go there without any Authorization (the address
 * has its own signature, and our token is none of its business). Throws AppError BAD_ANSWER, and as `ask`.
 */
async function readBlob(
  registry: Registry,
  repository: string,
  digest: string,
  signal?: AbortSignal,
): Promise<Answer> {
  const path = `${below(repository)}/blobs/${digest}`;
  let at = new URL(registry.url.replace(/\/+$/, "") + path);
  let answer = await ask(registry, { path, accept: "*/*", signal, redirect: true });
  for (let hops = 0; redirects.includes(answer.status); hops++) {
    const next = urlOf(answer.headers.location ?? "", at.href);
    if (next === null || hops >= mostRedirects || !noWorse(registry, next))
      throw failed(
        registry,
        "BAD_ANSWER",
        "oci.badRedirect",
        "it sends us for a blob to where we do not go.",
      );
    at = next;
    const own = ownPath(registry, next);
    answer =
      own !== null
        ? await ask(registry, { path: own, accept: "*/*", signal, redirect: true })
        : await exchange({
            base: next.origin,
            path: next.pathname + next.search,
            headers: { accept: "*/*" },
            timeoutMs: registry.timeout,
            signal,
            maxBytes,
          });
  }
  if (answer.status !== 200)
    throw failed(registry, "BAD_ANSWER", "oci.failed", `${at.host} answered ${answer.status}.`, {
      says: String(answer.status),
    });
  checkDigest(registry, `a blob of ${repository}`, answer.body, digest);
  return answer;
}

/** An address as a path of this registry (below its base), or null when it is elsewhere. */
function ownPath(registry: Registry, url: URL): string | null {
  const base = new URL(registry.url);
  const prefix = base.pathname.replace(/\/+$/, "");
  if (url.origin !== base.origin || !url.pathname.startsWith(`${prefix}/`)) return null;
  return url.pathname.slice(prefix.length) + url.search;
}

const mostPages = 50;

/**
 * A list that comes in pages, up to `max`; `whole` false when there is more. A page that tells nothing new ends it, and so does a
 * Link to another place: to go there would carry our token there.
 */
async function pages(
  registry: Registry,
  first: string,
  listOf: (answer: unknown) => string[],
  max: number,
  signal?: AbortSignal,
): Promise<{ all: string[]; whole: boolean }> {
  const all = new Set<string>();
  let path: string | null = first;
  let more = true;
  for (let page = 0; path !== null && page < mostPages && all.size <= max; page++) {
    const answer: Answer = await ask(registry, { path, signal });
    const before = all.size;
    for (const one of listOf(jsonOf(answer))) all.add(one);
    const link = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(answer.headers.link ?? "")?.[1];
    more = link !== undefined;
    const next: URL | null = link === undefined ? null : urlOf(link, registry.url.replace(/\/+$/, "") + path);
    path = next === null || all.size === before ? null : ownPath(registry, next);
    if (all.size === max) break;
  }
  return { all: [...all].slice(0, max), whole: !more && all.size <= max };
}

const tagsAnswer = z.object({ tags: z.array(z.string()).nullish() });
const catalogAnswer = z.object({ repositories: z.array(z.string()).nullish() });

/** A repository's tags, page after page up to `max`; `whole` false when there are more. Throws as `ask`, BAD_ANSWER, INVALID_INPUT. */
export async function listTags(
  registry: Registry,
  repository: string,
  max = 5000,
  signal?: AbortSignal,
): Promise<{ tags: string[]; whole: boolean }> {
  const read = (answer: unknown): string[] => {
    const { data } = tagsAnswer.safeParse(answer);
    if (data !== undefined) return data.tags ?? [];
    const says = `the list of tags of ${repository} is not understood.`;
    throw failed(registry, "BAD_ANSWER", "oci.badTags", says);
  };
  const { all, whole } = await pages(registry, `${below(repository)}/tags/list?n=1000`, read, max, signal);
  return { tags: all, whole };
}

/**
 * The repositories of a registry, up to `max`; null where it does not tell them (Docker Hub, and most that are shared). Throws as
 * `ask` (UPSTREAM_AUTH only when user name and password are wrong), BAD_ANSWER.
 */
export async function listRepositories(
  registry: Registry,
  max = 1000,
  signal?: AbortSignal,
): Promise<{ repositories: string[]; whole: boolean } | null> {
  const read = (answer: unknown): string[] => {
    const { data } = catalogAnswer.safeParse(answer);
    if (data !== undefined) return data.repositories ?? [];
    const says = "the list of its repositories is not understood.";
    throw failed(registry, "BAD_ANSWER", "oci.badCatalog", says);
  };
  try {
    const { all, whole } = await pages(registry, "/v2/_catalog?n=1000", read, max, signal);
    return { repositories: all, whole };
  } catch (error) {
    if (!(error instanceof AppError) || error.detail.problem === "oci.wrongLogin") throw error;
    if (error.code === "NOT_FOUND" || error.code === "UPSTREAM_AUTH") return null;
    throw error;
  }
}

/** Whether it answers as a registry, how one signs in, and that it accepts the credentials where there are some. */
export const probe = (registry: Registry): Promise<Probed> =>
  look(`registry:${registry.name}`, async () => {
    const { auth } = await ping(registry);
    if (auth !== "none" && basic(registry) !== null) await ask(registry, { path: "/v2/" });
    // Its answers tell the version of the API, never its own.
    return { version: null, facts: { auth } };
  });
