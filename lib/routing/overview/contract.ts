// What each Traefik does now, as the browser sees it. No option of a middleware is in it, and no password.
import * as z from "zod";
import { toldProblem } from "../../errors/contract";

const protocol = z.enum(["http", "tcp", "udp"]);
/** "disabled": Traefik has taken it out; a router's requests fall to the next one that matches. */
const standing = z.enum(["enabled", "warning", "disabled"]);

const fault = z.object({
  /** Key under `routing.overview.faults`; "other" where only Traefik's own words say it. */
  kind: z.string(),
  /** The name that it is about, or empty. */
  about: z.string(),
  says: z.string(),
});
export type Fault = z.infer<typeof fault>;

/** Over the last minutes (`windowMs`), by Prometheus. */
const figures = z.object({
  perSecond: z.number(),
  /** Of its answers, those with a 5xx; null without an answer. */
  errors: z.number().nullable(),
  p95Ms: z.number().nullable(),
});
export type Figures = z.infer<typeof figures>;

const part = {
  protocol,
  /** With its provider: "shop@file". */
  name: z.string(),
  provider: z.string(),
  status: standing,
};
export const routerRow = z.object({
  ...part,
  /** The name that its provider knows; `name` is that of a part of it at one entry point. */
  source: z.string(),
  rule: z.string(),
  entryPoints: z.array(z.string()),
  service: z.string(),
  middlewares: z.array(z.string()),
  /** A whole number, perhaps beyond a double's. */
  priority: z.string(),
  tls: z.boolean(),
  faults: z.array(fault),
  figures: figures.nullable(),
});
export type RouterRow = z.infer<typeof routerRow>;

export const serviceRow = z.object({
  ...part,
  type: z.string(),
  usedBy: z.array(z.string()),
  servers: z.array(z.object({ url: z.string(), up: z.boolean() })),
  faults: z.array(fault),
  figures: figures.nullable(),
});
export type ServiceRow = z.infer<typeof serviceRow>;

export const middlewareRow = z.object({ ...part, type: z.string(), usedBy: z.array(z.string()) });
export type MiddlewareRow = z.infer<typeof middlewareRow>;

export const certificateRow = z.object({
  id: z.string(),
  commonName: z.string(),
  sans: z.array(z.string()),
  issuer: z.string(),
  notAfter: z.iso.datetime(),
  /** Whole days until its end; negative once it is over. */
  days: z.int(),
});
export type CertificateRow = z.infer<typeof certificateRow>;

export const conflict = z.object({
  /**
   * "shadowed": whatever it matches is taken by `others`, which are asked before. "never": its rule contradicts itself. "duplicate",
   * "tie": of the same priority as the other; which of them takes the example is not determined. "tcpFirst": the TCP router takes
   * connections before the HTTP routers `others`. "httpFirst": the HTTP routers `others` take the TCP router's server names.
   */
  kind: z.enum(["shadowed", "never", "duplicate", "tie", "tcpFirst", "httpFirst"]),
  protocol,
  entryPoints: z.array(z.string()),
  tls: z.boolean(),
  /** By the names that their providers know. */
  router: z.string(),
  others: z.array(z.string()),
  /** Of "tcpFirst" and "httpFirst": all that it could be, or some. */
  all: z.boolean(),
  /** Server names of "httpFirst". */
  names: z.array(z.string()),
  /** A request that both take. */
  example: z
    .object({
      method: z.string(),
      url: z.string(),
      /** "Name: value", one a line. */
      headers: z.string(),
      /** Its address; empty where any will do. */
      client: z.string(),
    })
    .nullable(),
});
export type Conflict = z.infer<typeof conflict>;

const counted = <T extends z.ZodType>(row: T) =>
  /** Faulty ones first; `more`: how many are left out. */
  z.object({ rows: z.array(row), more: z.int() });

export const traefikNow = z.object({
  version: z.string(),
  entryPoints: z.array(z.object({ name: z.string(), address: z.string(), routers: z.int() })),
  routers: counted(routerRow),
  services: counted(serviceRow),
  middlewares: counted(middlewareRow),
  /** Null: it does not tell them, as none before 3.7 does. */
  certificates: counted(certificateRow).nullable(),
  /** A certificate that ends within so many days is told (`tls_days`). */
  soonDays: z.int(),
  conflicts: z.array(conflict),
  /** Conflicts that are left out. */
  moreConflicts: z.int(),
  /** Not all routers were looked at for conflicts: they are too many that are like each other. */
  unseenConflicts: z.boolean(),
  live: z.object({
    /**
     * "none": no Prometheus is connected. "ambiguous": there are several Traefiks, and no labels that tell this one's figures.
     * "failed": Prometheus says why not. "quiet": it has no figures of any request yet.
     */
    state: z.enum(["told", "none", "ambiguous", "failed", "quiet"]),
    problem: toldProblem.nullable(),
    windowMs: z.int(),
    /** Traefik tells no figures by router: addRoutersLabels is off. */
    routersMissing: z.boolean(),
  }),
});
export type TraefikNow = z.infer<typeof traefikNow>;

export const traefikSeen = z.object({
  traefik: z.string(),
  /** Why nothing can be said. */
  problem: toldProblem.nullable(),
  now: traefikNow.nullable(),
});
export type TraefikSeen = z.infer<typeof traefikSeen>;
