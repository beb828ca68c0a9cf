// What tells that a Traefik got worse with other files: addresses asked through it, what it puts out of service, and its 5xx.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { config } from "../../config/load";
import { AppError } from "../../errors/app-error";
import { exchange } from "../../systems/exchange";
import type { TraefikOverview } from "../../systems/traefik/overview";
import { answeredByCode } from "../../systems/traefik/shown";
import { hostsOf } from "../match";
import { partsOfUrl } from "../path";
import type { TraefikServerConfig } from "./servers";

const everyMs = 2000;
/** What fails once is asked again after so long, before it is said to fail. */
const againMs = 1000;
/** 5xx are worse when they are this many, and this share more of the requests than before. */
const failedRequests = 5;
const failedShare = 0.05;

const portOf = (url: URL): string => url.port || (url.protocol === "https:" ? "443" : "80");

/** Where an address is asked: the entry point of its port, else the first of its scheme; null where sluice.yaml has none. */
export function entryPointFor(server: TraefikServerConfig, url: string): string | null {
  const asked = new URL(url);
  const all = Object.values(server.entry_points).filter((one) => new URL(one).protocol === asked.protocol);
  return all.find((one) => portOf(new URL(one)) === portOf(asked)) ?? all[0] ?? null;
}

/** Throws AppError INVALID_INPUT for an address that cannot be asked through this Traefik. */
export function checkProbes(server: TraefikServerConfig, urls: readonly string[]): void {
  for (const [index, url] of urls.entries()) {
    const field = `probes.${index}`;
    if (partsOfUrl(url) === null || !URL.canParse(url))
      throw new AppError("INVALID_INPUT", "That is no address.", {
        problem: "routing.url",
        params: {},
        field,
      });
    if (entryPointFor(server, url) === null)
      throw new AppError("INVALID_INPUT", `No entry point of ${server.name} for ${url} is in sluice.yaml.`, {
        problem: "routing.noEntryPoint",
        params: { traefik: server.name, url },
        field,
      });
  }
}

/** The watch page of each site that has a host in a rule of Traefik's, where it can be asked. */
export function sitePages(server: TraefikServerConfig, { routers }: TraefikOverview): string[] {
  const hosts = new Set(
    routers.filter(({ protocol }) => protocol === "http").flatMap(({ rule }) => named(rule)),
  );
  return config().sites.flatMap(({ addresses, watch }) => {
    const served = addresses.find(
      (one) => hosts.has(new URL(one).hostname) && entryPointFor(server, one) !== null,
    );
    return served === undefined ? [] : [`${new URL(served).origin}${watch}`];
  });
}

function named(rule: string): string[] {
  try {
    return hostsOf(rule);
  } catch {
    // A rule that is none has no host.
    return [];
  }
}

/** The status that an address answers with through Traefik; null: no answer. */
async function ask(server: TraefikServerConfig, url: string, signal: AbortSignal): Promise<number | null> {
  const base = entryPointFor(server, url);
  const parts = partsOfUrl(url);
  if (base === null || parts === null) return null;
  const path = `${parts.path}${parts.query === "" ? "" : `?${parts.query}`}`;
  try {
    return (await exchange({ base, host: parts.host, path, timeoutMs: server.timeout, signal })).status;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

export type Status = { readonly url: string; readonly status: number | null };

/** Asks each address once. Throws what the signal was aborted with. */
export const askAll = (
  server: TraefikServerConfig,
  urls: readonly string[],
  signal: AbortSignal,
): Promise<Status[]> =>
  Promise.all(urls.map(async (url) => ({ url, status: await ask(server, url, signal) })));

export type Probed = {
  readonly url: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly ok: boolean;
};

/** What is no failure with other files. */
export type May = {
  /** A maintenance page is switched on. */
  readonly expects503: boolean;
  /** Somebody agreed that a guard goes. */
  readonly opens: boolean;
  /** Addresses that somebody asks about: they must not be 404, even if they were. */
  readonly asked: readonly string[];
};

function failed({ url, status: before }: Status, after: number | null, may: May): boolean {
  if (after === 404 && may.asked.includes(url)) return true;
  if (before === null || before >= 500 || before === after) return false;
  // It answered, and does so no more.
  if (after === null || after === 404) return true;
  if (after >= 500) return !(may.expects503 && after === 503);
  // Nobody is asked any more who they are.
  return (before === 401 || before === 403) && after < 400 && !may.opens;
}

/** Asks the addresses again, and what fails once more a second later. Throws what the signal was aborted with. */
export async function probeAgain(
  server: TraefikServerConfig,
  before: readonly Status[],
  may: May,
  signal: AbortSignal,
): Promise<Probed[]> {
  const look = async (): Promise<Probed[]> => {
    const now = await askAll(
      server,
      before.map(({ url }) => url),
      signal,
    );
    return before.map((one, index) => {
      const after = now[index]?.status ?? null;
      return { url: one.url, before: one.status, after, ok: !failed(one, after, may) };
    });
  };
  const first = await look();
  if (first.every(({ ok }) => ok)) return first;
  await sleep(againMs, undefined, { signal });
  return look();
}

/** Requests in so many seconds, and those answered with 5xx; null where nothing counts them. */
export const windowShape = z.object({ seconds: z.number(), requests: z.number(), errors: z.number() });
export type Window = z.infer<typeof windowShape>;

type Counted = { readonly requests: number; readonly errors: number };
async function counted(server: TraefikServerConfig, expects503: boolean): Promise<Counted | null> {
  if (server.metrics === undefined) return null;
  try {
    let [requests, errors] = [0, 0];
    for (const [code, value] of await answeredByCode(server)) {
      requests += value;
      if (code.startsWith("5") && !(expects503 && code === "503")) errors += value;
    }
    return { requests, errors };
  } catch {
    return null;
  }
}

export const shareOf = ({ requests, errors }: Counted): number | null =>
  requests <= 0 ? null : errors / requests;

/** Whether so many more requests fail than before. */
export const worseThan = (before: Window | null, now: Window | null): boolean =>
  now !== null &&
  now.errors >= failedRequests &&
  (shareOf(now) ?? 0) > (before === null ? 0 : (shareOf(before) ?? 0)) + failedShare;

/**
 * Counts requests for so many seconds; null where nothing counts them, or where Traefik was restarted meanwhile. `look` is called every
 * two seconds with what was counted so far, and ends it early by true. Throws what the signal was aborted with.
 */
export async function watchRequests(
  server: TraefikServerConfig,
  seconds: number,
  expects503: boolean,
  signal: AbortSignal,
  look: (window: Window | null, elapsed: number) => Promise<boolean> = async () => false,
): Promise<Window | null> {
  const begun = Date.now();
  const before = await counted(server, expects503);
  for (;;) {
    signal.throwIfAborted();
    const left = seconds * 1000 - (Date.now() - begun);
    await sleep(Math.min(everyMs, Math.max(0, left)), undefined, { signal });
    const now = await counted(server, expects503);
    const elapsed = (Date.now() - begun) / 1000;
    const window =
      before === null || now === null || now.requests < before.requests
        ? null
        : {
            seconds: elapsed,
            requests: now.requests - before.requests,
            errors: Math.max(0, now.errors - before.errors),
          };
    if ((await look(window, Math.min(seconds, Math.floor(elapsed)))) || elapsed >= seconds) return window;
  }
}

export type Part = { readonly name: string; readonly says: string };

/** What Traefik has put out of service, of every provider, each with its own words. */
export const disabledIn = ({ routers, services, middlewares }: TraefikOverview): Part[] => [
  ...[...routers, ...services]
    .filter(({ status }) => status === "disabled")
    .map(({ protocol, name, faults }) => ({
      name: `${protocol} ${name}`,
      says: faults.map(({ says }) => says).join("; "),
    })),
  // What is wrong with a middleware may tell a password: its routers say that it is.
  ...middlewares
    .filter(({ status }) => status === "disabled")
    .map(({ protocol, name }) => ({ name: `${protocol} ${name}`, says: "" })),
];
