// What Traefik does now, by its API: version, routers, services, middlewares, entry points, certificates. rawdata is never asked.
import * as z from "zod";
import { AppError, toAppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { call, notProduct, shaped } from "../json-api";
import { type Fault, faultOf } from "./faults";
import { type EntryPoint, entryPoints } from "./routers";
import type { TraefikServer } from "./traefik";

export type Protocol = "http" | "tcp" | "udp";
/** "warning": it works, though not as written. "disabled": Traefik has taken it out. */
export type Standing = "enabled" | "warning" | "disabled";

const status = z.enum(["enabled", "warning", "disabled"]).catch("enabled");
const names = z
  .array(z.string())
  .nullish()
  .transform((all) => all ?? []);
const faults = names.transform((all) => all.map(faultOf));
const named = {
  /** With its provider: "shop@file". */
  name: z.string(),
  provider: z.string().default(""),
  status,
};
const router = z.object({
  ...named,
  rule: z.string().default(""),
  ruleSyntax: z.string().default(""),
  entryPoints: names,
  service: z.string().default(""),
  middlewares: names,
  priority: z.number().default(0),
  priorityStr: z
    .string()
    .regex(/^-?\d+$/)
    .optional(),
  tls: z.unknown().optional(),
  error: faults,
});
const service = z.object({
  ...named,
  type: z.string().default(""),
  usedBy: names,
  serverStatus: z.record(z.string(), z.string()).nullish(),
  error: faults,
});
// Its options and its errors hold passwords: what is not named here goes no further.
const middleware = z.object({ ...named, type: z.string().default(""), usedBy: names });
const certificate = z
  .object({
    name: z.string(),
    commonName: z.string().default(""),
    sans: names,
    issuerOrg: z.string().optional(),
    issuerCN: z.string().optional(),
    notAfter: z.iso.datetime({ offset: true }),
  })
  .nullable()
  // An odd one must not hide what else Traefik tells.
  .catch(null);

export type ListedRouter = {
  readonly protocol: Protocol;
  readonly name: string;
  /** The name that its provider knows: Traefik splits a router with several entry points, and calls a part "web-shop@file". */
  readonly source: string;
  readonly provider: string;
  readonly status: Standing;
  readonly rule: string;
  /** Its rule is in the words of Traefik 2. */
  readonly old: boolean;
  readonly entryPoints: readonly string[];
  readonly service: string;
  readonly middlewares: readonly string[];
  /** The one in force. Those of Traefik itself are beyond a double's whole numbers. */
  readonly priority: bigint;
  readonly tls: boolean;
  readonly faults: readonly Fault[];
};
export type ListedService = {
  readonly protocol: Protocol;
  readonly name: string;
  readonly provider: string;
  readonly status: Standing;
  /** "loadbalancer", "weighted"; empty for Traefik's own. */
  readonly type: string;
  readonly usedBy: readonly string[];
  readonly servers: readonly { readonly url: string; readonly up: boolean }[];
  readonly faults: readonly Fault[];
};
export type ListedMiddleware = {
  readonly protocol: Protocol;
  readonly name: string;
  readonly provider: string;
  readonly status: Standing;
  readonly type: string;
  readonly usedBy: readonly string[];
};
export type ListedCertificate = {
  /** Its fingerprint. */
  readonly id: string;
  readonly commonName: string;
  readonly sans: readonly string[];
  readonly issuer: string;
  readonly notAfter: Date;
};
export type TraefikOverview = {
  readonly version: string;
  readonly entryPoints: readonly EntryPoint[];
  readonly routers: readonly ListedRouter[];
  readonly services: readonly ListedService[];
  readonly middlewares: readonly ListedMiddleware[];
  /** Null: it does not tell them, as none before 3.7 does. Those that are not understood are left out. */
  readonly certificates: readonly ListedCertificate[] | null;
};

const product = "Traefik";
const perPage = 100;
/** Ten thousand of them: more are a mistake. */
const mostPages = 100;

/** What is asked together: `signal` ends all of it. */
type Asked = { readonly server: TraefikServer; readonly signal: AbortSignal | undefined };
const get = ({ server, signal }: Asked, path: string) =>
  call(server, "GET", path, signal === undefined ? {} : { signal });

/** All pages of a list, null where there is no such list. Throws AppError as `call`, BAD_ANSWER and TOO_LARGE. */
async function pages<T>(asked: Asked, path: string, shape: z.ZodType<T>): Promise<T[] | null> {
  const { server } = asked;
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const answer = await get(asked, `${path}?per_page=${perPage}&page=${page}`);
    if (answer.status === 404 && page === 1) return null;
    const found = answer.status === 200 ? shaped(answer, z.array(shape)) : null;
    if (found === null) throw notProduct(server, product, answer.status);
    all.push(...found);
    // Traefik says "1" on the last page.
    if (Number(answer.headers["x-next-page"] ?? 1) !== page + 1) return all;
  }
  throw new AppError("TOO_LARGE", `${server.name} has more than ${mostPages * perPage} of ${path}.`);
}

/** A list that every Traefik has. */
async function list<T>(asked: Asked, path: string, shape: z.ZodType<T>): Promise<T[]> {
  const all = await pages(asked, path, shape);
  if (all === null) throw notProduct(asked.server, product, 404);
  return all;
}

/** Certificates may be missing by themselves: the rest is worth a look without them. Throws as `pages`, but for BAD_ANSWER and TOO_LARGE. */
async function certificatesOf(asked: Asked): Promise<ListedCertificate[] | null> {
  try {
    const all = await pages(asked, "/api/certificates", certificate);
    return (
      all
        ?.filter((one) => one !== null)
        .map(({ name, commonName, sans, issuerOrg, issuerCN, notAfter }) => ({
          id: name,
          commonName,
          sans,
          issuer: issuerOrg ?? issuerCN ?? "",
          notAfter: new Date(notAfter),
        })) ?? null
    );
  } catch (error) {
    if (["BAD_ANSWER", "TOO_LARGE"].includes(toAppError(error).code)) return null;
    throw error;
  }
}

type Named = Pick<z.output<typeof router>, "name" | "entryPoints" | "rule" | "service">;

/**
 * The name that a router's provider knows. Where entry points have models, Traefik makes of a router on several of them one for each,
 * "web-shop@file"; one whose TLS options conflict becomes "websecure-conflicted-shop@file" (pkg/server/aggregator.go, v3.7). A router may
 * be called so by itself: it is a part only where there is another part of the same.
 */
export function sourceOf(one: Named, all: readonly Named[]): string {
  const [point] = one.entryPoints;
  if (point === undefined || one.entryPoints.length > 1) return one.name;
  const conflicted = `${point}-conflicted-`;
  const name = one.name.startsWith(conflicted) ? one.name.slice(conflicted.length) : one.name;
  if (!name.startsWith(`${point}-`)) return name;
  const source = name.slice(point.length + 1);
  const isPart = (other: Named): boolean =>
    other.rule === one.rule &&
    other.service === one.service &&
    !other.entryPoints.includes(point) &&
    (other.name === source ||
      other.entryPoints.some((there) =>
        [`${there}-${source}`, `${there}-conflicted-${there}-${source}`].includes(other.name),
      ));
  return all.some(isPart) ? source : name;
}

const routersIn = (protocol: Protocol, all: readonly z.output<typeof router>[]): ListedRouter[] => {
  // Only routers of the same rule are parts of one.
  const byRule = new Map<string, Named[]>();
  for (const one of all) byRule.set(one.rule, [...(byRule.get(one.rule) ?? []), one]);
  return all.map((one) => ({
    protocol,
    name: one.name,
    source: sourceOf(one, byRule.get(one.rule) ?? []),
    provider: one.provider,
    status: one.status,
    rule: one.rule,
    old: one.ruleSyntax === "v2",
    entryPoints: one.entryPoints,
    service: one.service,
    middlewares: one.middlewares,
    priority: BigInt(one.priorityStr ?? Math.trunc(one.priority)),
    tls: one.tls !== undefined && one.tls !== null,
    faults: one.error,
  }));
};

const servicesIn = (protocol: Protocol, all: readonly z.output<typeof service>[]): ListedService[] =>
  all.map(({ name, provider, status, type, usedBy, serverStatus, error }) => ({
    protocol,
    name,
    provider,
    status,
    type,
    usedBy,
    // An address may hold a password.
    servers: Object.entries(serverStatus ?? {}).map(([url, state]) => ({
      url: maskedText(url),
      up: state === "UP",
    })),
    faults: error,
  }));

const middlewaresIn = (protocol: Protocol, all: readonly z.output<typeof middleware>[]): ListedMiddleware[] =>
  all.map(({ name, provider, status, type, usedBy }) => ({ protocol, name, provider, status, type, usedBy }));

/** Everything that is in force now. `signal` gives up. Throws AppError as `call`, BAD_ANSWER and TOO_LARGE. */
export async function overviewOf(server: TraefikServer, signal?: AbortSignal): Promise<TraefikOverview> {
  const asked = { server, signal };
  // What answers, before it is asked ten things.
  const answer = await get(asked, "/api/version");
  const told = answer.status === 200 ? shaped(answer, z.object({ Version: z.string() })) : null;
  if (told === null) throw notProduct(server, product, answer.status);
  const [points, http, tcp, udp, httpServices, tcpServices, udpServices, before, beforeTcp, certificates] =
    await Promise.all([
      entryPoints(server, signal),
      list(asked, "/api/http/routers", router),
      list(asked, "/api/tcp/routers", router),
      list(asked, "/api/udp/routers", router),
      list(asked, "/api/http/services", service),
      list(asked, "/api/tcp/services", service),
      list(asked, "/api/udp/services", service),
      list(asked, "/api/http/middlewares", middleware),
      list(asked, "/api/tcp/middlewares", middleware),
      certificatesOf(asked),
    ]);
  return {
    version: told.Version.replace(/^v/, ""),
    entryPoints: points,
    routers: [...routersIn("http", http), ...routersIn("tcp", tcp), ...routersIn("udp", udp)],
    services: [
      ...servicesIn("http", httpServices),
      ...servicesIn("tcp", tcpServices),
      ...servicesIn("udp", udpServices),
    ],
    middlewares: [...middlewaresIn("http", before), ...middlewaresIn("tcp", beforeTcp)],
    certificates,
  };
}
