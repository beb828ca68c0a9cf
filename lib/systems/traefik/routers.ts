// The HTTP routers that Traefik has in force, and its entry points, by its API. rawdata is never asked: it tells password hashes.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { call, notProduct, shaped } from "../json-api";
import { faultOf } from "./faults";
import type { TraefikServer } from "./traefik";

const listedRouter = z.object({
  /** With its provider: "shop@file". */
  name: z.string(),
  provider: z.string().default(""),
  rule: z.string().default(""),
  entryPoints: z.array(z.string()).nullish(),
  service: z.string().default(""),
  middlewares: z.array(z.string()).nullish(),
  priority: z.number().default(0),
  /** The same without loss: those of Traefik itself are beyond a double's whole numbers. */
  priorityStr: z
    .string()
    .regex(/^-?\d+$/)
    .optional(),
  tls: z.unknown().optional(),
  /** Since 3.6: routers whose requests it takes on. */
  parentRefs: z.array(z.string()).nullish(),
  status: z.string().default("enabled"),
  error: z.array(z.string()).nullish(),
});
const listedEntryPoint = z
  .object({
    name: z.string(),
    address: z.string().default(""),
    asDefault: z.boolean().default(false),
    http: z
      .object({ tls: z.unknown(), middlewares: z.array(z.string()).nullish() })
      .partial()
      .nullish(),
  })
  .transform(({ http, ...point }) => ({
    ...point,
    /** Routers on it have TLS, whatever they say. */
    tls: http?.tls !== undefined && http.tls !== null,
    /** Put before those of its routers. */
    middlewares: http?.middlewares ?? [],
  }));

export type TraefikRouter = {
  readonly name: string;
  readonly provider: string;
  readonly rule: string;
  readonly entryPoints: readonly string[];
  readonly service: string;
  readonly middlewares: readonly string[];
  /** 0: as long as its rule. */
  readonly priority: bigint;
  readonly tls: boolean;
  /** With their providers: routers whose requests it takes on, after their middlewares. Empty: it is asked at its entry points. */
  readonly parents: readonly string[];
  /** Whether it takes requests at all. */
  readonly enabled: boolean;
  /** What Traefik says is wrong with it, without secrets. */
  readonly errors: readonly string[];
};
export type EntryPoint = z.output<typeof listedEntryPoint>;

const product = "Traefik";
const perPage = 500;
/** Ten thousand of them: more are a mistake. */
const mostPages = 20;

/** All pages of a list. Throws AppError as `call`, and BAD_ANSWER. */
async function listed<T>(
  server: TraefikServer,
  path: string,
  shape: z.ZodType<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const more = signal === undefined ? {} : { signal };
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const answer = await call(server, "GET", `${path}?per_page=${perPage}&page=${page}`, more);
    const found = answer.status === 200 ? shaped(answer, z.array(shape)) : null;
    if (found === null) throw notProduct(server, product, answer.status);
    all.push(...found);
    // Traefik says "1" on the last page.
    const next = Number(answer.headers["x-next-page"] ?? 1);
    if (next !== page + 1) return all;
  }
  throw new AppError("TOO_LARGE", `${server.name} has more than ${mostPages * perPage} of ${path}.`);
}

/** Throws AppError. */
export async function httpRouters(server: TraefikServer): Promise<TraefikRouter[]> {
  const all = await listed(server, "/api/http/routers", listedRouter);
  return all.map((one) => ({
    name: one.name,
    provider: one.provider,
    rule: one.rule,
    entryPoints: one.entryPoints ?? [],
    service: one.service,
    middlewares: one.middlewares ?? [],
    priority: BigInt(one.priorityStr ?? Math.trunc(one.priority)),
    tls: one.tls !== undefined && one.tls !== null,
    parents: (one.parentRefs ?? []).map((name) => (name.includes("@") ? name : `${name}@${one.provider}`)),
    enabled: one.status !== "disabled",
    errors: (one.error ?? []).map((error) => faultOf(error).says),
  }));
}

/** `signal` gives up. Throws AppError. */
export const entryPoints = (server: TraefikServer, signal?: AbortSignal): Promise<EntryPoint[]> =>
  listed(server, "/api/entrypoints", listedEntryPoint, signal);
