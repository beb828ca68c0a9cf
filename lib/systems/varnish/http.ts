// Varnish as its VCL speaks over HTTP: PURGE, BAN and PEEK of the VCL that docs/varnish.md recommends, PURGE of any.
import { AppError, toAppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";
import { banRegex } from "./ban-regex";

/** One node. `url` is where it listens, never the public address. */
export type VarnishNode = {
  readonly name: string;
  readonly url: string;
  /** "sluice": the recommended VCL. "plain": only PURGE of one address is understood. */
  readonly vcl: "sluice" | "plain";
  /** Milliseconds for one exchange. */
  readonly timeout: number;
};

/** What a purge came to. `count`: objects removed, null when the node does not say. `boot` changes when the cache was lost. */
export type PurgeOutcome =
  | { readonly ok: true; readonly count: number | null; readonly boot: string | null }
  | { readonly ok: false; readonly error: AppError };

export type PurgeTarget = {
  readonly host: string;
  /** Path and query as the public address has them. */
  readonly path: string;
  /** Keep the object for one stale answer while a fresh one is fetched. */
  readonly soft: boolean;
};

/** What is cached for an address. Times in seconds (ttl below 0: expired, within grace). */
export type Peek =
  | {
      readonly state: "hit";
      readonly ageS: number;
      readonly ttlS: number;
      readonly graceS: number;
      readonly hits: number;
      readonly tags: readonly string[];
      readonly revision: string | null;
      readonly boot: string | null;
    }
  | { readonly state: "miss"; readonly boot: string | null }
  | { readonly state: "unsupported" };

export type BanTarget =
  | { readonly all: true }
  | {
      readonly host: string;
      /** PCRE, matched anywhere in the cached path and query. Left out: the whole host. */
      readonly regex?: string | undefined;
    };

/** Varnish reads 8 kB per header; room is left for the name. */
const tagBytesPerCall = 6000;

const ours = (answer: Answer) => answer.headers["sluice-vcl"] === "1";
const bootOf = (answer: Answer) => answer.headers["sluice-boot"] ?? null;
const words = (answer: Answer) =>
  Buffer.from(answer.body)
    .toString("latin1")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 200);

function refusal(node: VarnishNode, verb: string, answer: Answer): AppError {
  const params = { node: node.name, verb, status: answer.status };
  if (answer.status === 401 || answer.status === 403) {
    const address = /refused: (\S+) is (?:not|neither) in acl /.exec(words(answer))?.[1] ?? "";
    return new AppError(
      "REFUSED",
      `${node.name} refuses ${verb}${address ? ` from ${address}` : ""}: add Sluice's address to the VCL's acl (docs/varnish.md).`,
      { problem: address ? "varnish.aclAddress" : "varnish.acl", params: { ...params, address } },
    );
  }
  if (answer.status === 405 || answer.status === 501) {
    return new AppError(
      "REFUSED",
      `${node.name} does not know ${verb}: its VCL must handle it (docs/varnish.md).`,
      { problem: "varnish.method", params },
    );
  }
  if (answer.status >= 400 && answer.status < 500) {
    return new AppError("REFUSED", `${node.name} refuses this ${verb}: ${answer.status} ${words(answer)}`, {
      problem: "varnish.refused",
      params: { ...params, says: words(answer) },
    });
  }
  return new AppError("BAD_ANSWER", `${node.name} answered ${verb} with ${answer.status}.`, {
    problem: "varnish.answer",
    params,
  });
}

const unsupported = (node: VarnishNode, verb: string) =>
  new AppError(
    "REFUSED",
    `${node.name}'s VCL is not the recommended one, so ${verb} means nothing to it (docs/varnish.md).`,
    {
      problem: "varnish.otherVcl",
      params: { node: node.name, verb },
    },
  );

type Ask = {
  readonly verb: "PURGE" | "BAN";
  readonly host?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Any VCL's 200 will do; else only that of the recommended one. */
  readonly anyVcl: boolean;
};

async function tell(node: VarnishNode, ask: Ask, signal: AbortSignal | undefined): Promise<PurgeOutcome> {
  if (!ask.anyVcl && node.vcl === "plain") return { ok: false, error: unsupported(node, ask.verb) };
  let answer: Answer;
  try {
    answer = await exchange({
      base: node.url,
      host: ask.host,
      path: ask.path,
      method: ask.verb,
      headers: ask.headers,
      timeoutMs: node.timeout,
      signal,
      maxBytes: 64 * 1024,
    });
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
  // Some VCLs say 404 for what was not cached: that is a purge of nothing, and done.
  const nothing =
    answer.status === 404 && ask.anyVcl && !ours(answer) && answer.headers["x-varnish"] !== undefined;
  if (answer.status !== 200 && !nothing) return { ok: false, error: refusal(node, ask.verb, answer) };
  if (!ours(answer)) {
    if (!ask.anyVcl) return { ok: false, error: unsupported(node, ask.verb) };
    if (answer.headers["x-varnish"] === undefined) {
      // The verb went through to whatever is behind, or this is no Varnish: its 200 purged nothing.
      return {
        ok: false,
        error: new AppError(
          "BAD_ANSWER",
          `${node.name} passed ${ask.verb} on instead of purging: its VCL must handle it (docs/varnish.md).`,
          {
            problem: "varnish.passedOn",
            params: { node: node.name, verb: ask.verb },
          },
        ),
      };
    }
    return { ok: true, count: nothing ? 0 : null, boot: null };
  }
  const count = /^\d+$/.test(answer.headers["sluice-purged"] ?? "")
    ? Number(answer.headers["sluice-purged"])
    : null;
  return { ok: true, count, boot: bootOf(answer) };
}

/** Purges one address, all its variants. */
export function purgeUrl(
  node: VarnishNode,
  target: PurgeTarget,
  signal?: AbortSignal,
): Promise<PurgeOutcome> {
  // Soft means nothing to another VCL: it purges hard, which keeps the promise that the old page goes.
  return tell(
    node,
    {
      verb: "PURGE",
      host: target.host,
      path: target.path,
      headers: target.soft ? { "Sluice-Soft": "1" } : {},
      anyVcl: true,
    },
    signal,
  );
}

/**
 * Purges many addresses, `atOnce` at a time, and tells each outcome as it comes. Stops when the signal aborts:
 * what was not yet asked is not told.
 */
export async function purgeUrls(
  node: VarnishNode,
  targets: readonly PurgeTarget[],
  onOutcome: (index: number, outcome: PurgeOutcome) => void,
  options: { readonly signal?: AbortSignal | undefined; readonly atOnce?: number } = {},
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < targets.length; index = next++) {
      const target = targets[index];
      if (!target || options.signal?.aborted) return;
      onOutcome(index, await purgeUrl(node, target, options.signal));
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? 8, targets.length) }, worker));
}

/** Tags in groups that each fit one header. */
export function tagGroups(tags: readonly string[], bytes = tagBytesPerCall): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const tag of tags) {
    const group = groups.at(-1);
    if (group && tag.length + 1 <= room) {
      group.push(tag);
      room -= tag.length + 1;
    } else {
      groups.push([tag]);
      room = bytes - tag.length;
    }
  }
  return groups;
}

/** Purges every object that carries one of the tags (xkey). The count is the sum; the first failure ends it. */
export async function purgeTags(
  node: VarnishNode,
  tags: readonly string[],
  soft: boolean,
  signal?: AbortSignal,
): Promise<PurgeOutcome> {
  const wrong = tags.find((tag) => !/^[\x21-\x7e]{1,1024}$/.test(tag) || tag.includes(","));
  if (wrong !== undefined || tags.length === 0) {
    const error = new AppError(
      "INVALID_INPUT",
      "A tag is 1 to 1024 characters of ASCII without spaces and commas.",
      { problem: "varnish.tag", field: "tags" },
    );
    return { ok: false, error };
  }
  let count: number | null = 0;
  let boot: string | null = null;
  for (const group of tagGroups(tags)) {
    const headers = { [soft ? "xkey-softpurge" : "xkey"]: group.join(" ") };
    const outcome = await tell(node, { verb: "PURGE", path: "/", headers, anyVcl: false }, signal);
    if (!outcome.ok) return outcome;
    count = count === null || outcome.count === null ? null : count + outcome.count;
    boot = outcome.boot;
  }
  return { ok: true, count, boot };
}

/** Bans a host's pages that match, a whole host, or everything; only ever on what the object itself carries (obj.*). */
export async function ban(node: VarnishNode, target: BanTarget, signal?: AbortSignal): Promise<PurgeOutcome> {
  try {
    const headers: Record<string, string> =
      "all" in target ? { "Sluice-Ban-All": "1" } : { "Sluice-Ban-Host": target.host };
    if ("regex" in target && target.regex !== undefined) headers["Sluice-Ban-Regex"] = banRegex(target.regex);
    return await tell(node, { verb: "BAN", path: "/", headers, anyVcl: false }, signal);
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
}

const figure = (answer: Answer, name: string): number => {
  const value = Number.parseFloat(answer.headers[name] ?? "");
  return Number.isFinite(value) ? value : 0;
};

/**
 * What a node has cached for an address, without fetching or filling.
 * Throws AppError UNREACHABLE, TIMEOUT, REFUSED (its acl) or BAD_ANSWER.
 */
export async function peek(
  node: VarnishNode,
  host: string,
  path: string,
  options: {
    readonly acceptEncoding?: string;
    readonly accept?: string;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<Peek> {
  // Another VCL would pipe this verb to the backend.
  if (node.vcl === "plain") return { state: "unsupported" };
  const headers: Record<string, string> = {};
  if (options.acceptEncoding !== undefined) headers["Accept-Encoding"] = options.acceptEncoding;
  if (options.accept !== undefined) headers.Accept = options.accept;
  const answer = await exchange({
    base: node.url,
    host,
    path,
    method: "PEEK",
    headers,
    timeoutMs: node.timeout,
    signal: options.signal,
    maxBytes: 256 * 1024,
  });
  if (!ours(answer)) {
    if (answer.status >= 500) throw refusal(node, "PEEK", answer);
    return { state: "unsupported" };
  }
  if (answer.status === 404) return { state: "miss", boot: bootOf(answer) };
  if (answer.status !== 200) throw refusal(node, "PEEK", answer);
  return {
    state: "hit",
    ageS: figure(answer, "sluice-age"),
    ttlS: figure(answer, "sluice-ttl"),
    graceS: figure(answer, "sluice-grace"),
    hits: figure(answer, "sluice-hits"),
    tags: (answer.headers["sluice-tags"] ?? "").split(/[\s,]+/).filter((tag) => tag !== ""),
    revision: answer.headers["sluice-revision"] ?? null,
    boot: bootOf(answer),
  };
}
