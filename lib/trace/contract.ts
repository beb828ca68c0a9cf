// One address asked at every layer of its site, as the browser asks and sees it.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

export const traceMethods = ["GET", "HEAD"] as const;
export const traceRequest = z.object({
  /** Of a site of sluice.yaml. */
  url: z.string().trim().min(1).max(8192),
  method: z.enum(traceMethods).default("GET"),
  /** "Name: value", one a line; Cookie may be one of them. */
  headers: z.string().max(8000).optional(),
});
export type TraceRequest = z.infer<typeof traceRequest>;

/** Outermost first. */
export const layerKinds = ["edge", "traefik", "varnish", "nginx", "origin", "application"] as const;

/** What Traefik's rules do with the address at one entry point. */
export const traceRoute = z.object({
  /** "nobody": no router takes it. "unsure": two are of the same priority. "untold": Traefik does not say. */
  state: z.enum(["taken", "unsure", "nobody", "untold"]),
  router: z.string().nullable(),
  rule: z.string().nullable(),
  service: z.string().nullable(),
  middlewares: z.array(z.string()),
  servers: z.array(z.object({ url: z.string(), up: z.boolean() })),
  /** Why nothing can be said. */
  problem: toldProblem.nullable(),
});
export type TraceRoute = z.infer<typeof traceRoute>;

export const traceLayer = z.object({
  kind: z.enum(layerKinds),
  /** Of the system in sluice.yaml; the host's where the layer is none of these; null where nothing is configured. */
  name: z.string().nullable(),
  /** Traefik's entry point. */
  point: z.string().nullable(),
  /** Where it was asked: scheme, host, port. */
  address: z.string().nullable(),
  /** "refused": it answered 401, 403 or 429. "silent": no answer. "unasked": Sluice was not told where, or what it did shows elsewhere. */
  state: z.enum(["answered", "refused", "silent", "unasked"]),
  /** Why there is no answer. */
  problem: toldProblem.nullable(),
  status: z.int().nullable(),
  /** From the call to the last byte. */
  ms: z.number().nullable(),
  /** "stale": from its cache past its time. "fetched": not from its cache; a miss or a pass, it does not say which. */
  cache: z.enum(["hit", "stale", "miss", "pass", "fetched"]).nullable(),
  /** Keys under `trace.facts`; times in seconds. */
  facts: z.array(z.object({ key: z.string(), value: z.union([z.string(), z.number()]) })),
  /** Whether its page is that of the innermost layer; null for that layer, and where it cannot be said. */
  page: z.enum(["same", "differs"]).nullable(),
  route: traceRoute.nullable(),
  /** What came back, secrets hidden. */
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
});
export type TraceLayer = z.infer<typeof traceLayer>;

/** A layer by its place in `layers`. */
const place = z.int().min(0);

export const trace = z.object({
  site: z.string(),
  method: z.enum(traceMethods),
  /** As visitors ask for it, and as the caches behind the edge know it. */
  url: z.string(),
  key: z.string(),
  verdict: z.object({
    /** Key under `trace.verdicts`. */
    key: z.string(),
    tone: z.enum(["up", "warn", "down", "unknown"]),
    /** The layer that it is about, and the next one in that answered otherwise. */
    layer: place.nullable(),
    behind: place.nullable(),
    params: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  /** Layers that fail although visitors are answered. */
  failing: z.array(place),
  compared: z.object({
    /** "unsteady": the innermost one differs from itself. "none": less than two pages. */
    state: z.enum(["same", "differs", "unsteady", "none"]),
    /** What the others were compared with. */
    truth: place.nullable(),
    /** Innermost first: those that give another page. */
    differing: z.array(place),
  }),
  layers: z.array(traceLayer),
});
export type Trace = z.infer<typeof trace>;
