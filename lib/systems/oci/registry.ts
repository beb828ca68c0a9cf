// A container registry (OCI distribution specification 1.1): manifests, tags, and the token flow of Docker's registries.
import { createHash } from "node:crypto";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { type Answer, exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";
import { digestPattern } from "./reference";

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
  for (const match of rest.matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g))
    params[(match[1] ?? "").toLowerCase()] = (match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1");
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

/** Gets what a 401 asks for. Throws AppError UPSTREAM_AUTH, BAD_ANSWER, and as `exchange`. */
async function authorise(registry: Registry, challenge: string, signal?: AbortSignal): Promise<Token> {
  const { scheme, params } = challengeOf(challenge);
  const login = basic(registry);
  if (scheme === "basic") {
    if (login === null)
      throw failed(registry, "UPSTREAM_AUTH", "oci.loginNeeded", "it wants a user name and a password.");
    return { header: login, until: Date.now() + 300_000 };
  }
  const realm = urlOf(params.realm ?? "");
  if (scheme !== "bearer" || realm === null)
    throw failed(registry, "BAD_ANSWER", "oci.badChallenge", "it asks for a sign-in that we do not know.");
  // Credentials go nowhere in clear that was not in clear before.
  if (realm.protocol !== "https:" && !(realm.protocol === "http:" && registry.url.startsWith("http:")))
    throw failed(
      registry,
      "BAD_ANSWER",
      "oci.unsafeRealm",
      "it sends us for a token to an address without TLS.",
    );
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
  if (answer.status !== 200 || !token)
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
};

/** One call, with a token where one is wanted. Throws AppError UPSTREAM_AUTH, UPSTREAM_LIMIT, NOT_FOUND, BAD_ANSWER, and as `exchange`. */
async function ask(registry: Registry, { method = "GET", path, accept, signal }: Ask): Promise<Answer> {
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
    tokens().delete(key);
    throw failed(
      registry,
      "UPSTREAM_AUTH",
      basic(registry) === null ? "oci.loginNeeded" : "oci.denied",
      basic(registry) === null ? "it does not give this to everybody." : "we may not read this.",
    );
  }
  refuseLimit(registry, answer);
  if (answer.status === 404) throw failed(registry, "NOT_FOUND", "oci.notFound", "it has no such image.");
  if (answer.status !== 200)
    throw failed(registry, "BAD_ANSWER", "oci.failed", `it answered ${answer.status}.`, {
      says: String(answer.status),
    });
  return answer;
}

/** Whether a registry answers, and how it wants to know who asks. Throws as `exchange`, BAD_ANSWER. */
export async function ping(registry: Registry): Promise<{ auth: "none" | "basic" | "bearer" }> {
  const answer = await exchange({ base: registry.url, path: "/v2/", timeoutMs: registry.timeout, maxBytes });
  if (answer.status === 200) return { auth: "none" };
  const { scheme } = challengeOf(answer.headers["www-authenticate"] ?? "");
  if (answer.status === 401 && (scheme === "basic" || scheme === "bearer")) return { auth: scheme };
  throw failed(
    registry,
    "BAD_ANSWER",
    "oci.noRegistry",
    `what answers there is no registry (${answer.status}).`,
  );
}

const descriptor = z.object({
  digest: z.string().regex(digestPattern),
  size: z.number(),
  mediaType: z.string().nullish(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullish() }).nullish(),
});
const manifestAnswer = z.object({
  mediaType: z.string().nullish(),
  manifests: z.array(descriptor).nullish(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).nullish(),
});

export type Platform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
};
export type Manifest = {
  /** Of the bytes themselves. */
  readonly digest: string;
  /** Of an index: what there is for each platform. Null for one image. */
  readonly platforms: readonly (Platform & { readonly digest: string })[] | null;
  /** Compressed bytes of all layers, and the digest of the image's configuration (its id); null for an index. */
  readonly size: number | null;
  readonly config: string | null;
};

const inPath = (repository: string, reference: string): string =>
  `/v2/${repository}/manifests/${encodeURIComponent(reference).replaceAll("%3A", ":")}`;

/** The digest behind a tag now, without its content; null where the registry does not say it. Throws as `ask`. */
export async function headManifest(
  registry: Registry,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const { headers } = await ask(registry, {
    method: "HEAD",
    path: inPath(repository, reference),
    accept: manifestTypes,
    signal,
  });
  const digest = headers["docker-content-digest"];
  return digest !== undefined && digestPattern.test(digest) ? digest : null;
}

/** A tag's or digest's manifest. Throws AppError NOT_FOUND, BAD_ANSWER (its bytes are not what its digest says), and as `ask`. */
export async function readManifest(
  registry: Registry,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const answer = await ask(registry, { path: inPath(repository, reference), accept: manifestTypes, signal });
  const digest = `sha256:${createHash("sha256").update(answer.body).digest("hex")}`;
  const told = answer.headers["docker-content-digest"];
  const wanted = digestPattern.test(reference) ? reference : told;
  if (wanted !== undefined && wanted !== digest)
    throw failed(
      registry,
      "BAD_ANSWER",
      "oci.wrongDigest",
      `the manifest of ${repository} is not what its digest says.`,
    );
  const read = manifestAnswer.safeParse(jsonOf(answer));
  if (!read.success || (!read.data.manifests && !read.data.layers))
    throw failed(
      registry,
      "BAD_ANSWER",
      "oci.badManifest",
      `the manifest of ${repository} is not understood.`,
    );
  const { manifests, layers, config } = read.data;
  return {
    digest,
    platforms:
      manifests?.flatMap((one) =>
        // Attestations stand in an index as platform unknown/unknown.
        one.platform && one.platform.os !== "unknown" ? [{ ...one.platform, digest: one.digest }] : [],
      ) ?? null,
    size: layers?.reduce((sum, layer) => sum + layer.size, 0) ?? null,
    config: config?.digest ?? null,
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

/** What an image's configuration says; nulls where it is not to be had: a date is worth no failure. */
async function configOf(
  registry: Registry,
  repository: string,
  config: string | null,
  signal?: AbortSignal,
): Promise<Pick<ImageDetail, "createdAt" | "env" | "labels">> {
  const unknown = { createdAt: null, env: null, labels: null };
  if (config === null) return unknown;
  try {
    const answer = await ask(registry, { path: `/v2/${repository}/blobs/${config}`, accept: "*/*", signal });
    const said = configAnswer.parse(jsonOf(answer));
    const at = Date.parse(said.created ?? "");
    return {
      createdAt: Number.isNaN(at) ? null : new Date(at).toISOString(),
      env: said.config?.Env ?? [],
      labels: said.config?.Labels ?? {},
    };
  } catch {
    // Large registries redirect to a storage of theirs, with a signature in the address: we do not follow.
    return unknown;
  }
}

const tagsAnswer = z.object({ tags: z.array(z.string()).nullish() });

/** A repository's tags, page after page up to `max`; `whole` false when there are more. Throws as `ask`. */
export async function listTags(
  registry: Registry,
  repository: string,
  max = 5000,
  signal?: AbortSignal,
): Promise<{ tags: string[]; whole: boolean }> {
  const tags: string[] = [];
  let path: string | null = `/v2/${repository}/tags/list?n=1000`;
  for (let page = 0; path !== null; page++) {
    if (tags.length >= max || page >= 50) return { tags: tags.slice(0, max), whole: false };
    const answer: Answer = await ask(registry, { path, signal });
    const read = tagsAnswer.safeParse(jsonOf(answer));
    if (!read.success)
      throw failed(
        registry,
        "BAD_ANSWER",
        "oci.badTags",
        `the list of tags of ${repository} is not understood.`,
      );
    tags.push(...(read.data.tags ?? []));
    path = nextOf(registry, answer.headers.link);
  }
  return { tags, whole: true };
}

/** The next page of this registry, of none other: a Link elsewhere would carry our token there. */
function nextOf(registry: Registry, link: string | undefined): string | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? "")?.[1];
  const url = target === undefined ? null : urlOf(target, `${registry.url}/`);
  if (url === null || url.origin !== new URL(registry.url).origin) return null;
  return `${url.pathname}${url.search}`;
}

/** Whether it answers as a registry, and how one signs in. */
export const probe = (registry: Registry): Promise<Probed> =>
  look(`registry:${registry.name}`, async () => {
    const { auth } = await ping(registry);
    return { version: null, facts: { auth } };
  });
