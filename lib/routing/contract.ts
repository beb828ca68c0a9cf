// Which router of Traefik takes a request, as the browser asks and sees it.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** A request that need not be made. */
export const routedRequest = z.object({
  url: z.string().trim().min(1).max(4000),
  method: z.enum(methods).default("GET"),
  /** The peer's address, as Traefik sees it. */
  client: z.string().trim().max(60).optional(),
  /** "Name: value", one a line. */
  headers: z.string().max(4000).optional(),
});
export type RoutedRequest = z.infer<typeof routedRequest>;

export const candidate = z.object({
  /** With its provider: "shop@file". */
  name: z.string(),
  rule: z.string(),
  /** A whole number, perhaps beyond a double's. */
  priority: z.string(),
  service: z.string(),
  middlewares: z.array(z.string()),
  /**
   * "taken": this one. "tie": as good as that, and which of them Traefik takes is not determined. "later": it matches, and one before it
   * does. "misses": it does not match. "disabled": Traefik has taken it out, so that its requests fall to the next one.
   */
  state: z.enum(["taken", "tie", "later", "misses", "disabled"]),
  /** Each matcher of its rule, with whether it holds. */
  parts: z.array(z.object({ text: z.string(), holds: z.boolean() })),
  /** Traefik's own words. */
  errors: z.array(z.string()),
});
export type Candidate = z.infer<typeof candidate>;

const asked = {
  /** In the order in which they are asked; of those that miss, the ones that miss least. */
  candidates: z.array(candidate),
  /** Routers that are left out. */
  more: z.int(),
};

export const routed = z.object({
  traefik: z.string(),
  /** Why nothing can be said. */
  problem: toldProblem.nullable(),
  /** What the matchers see; null where the entry point refuses the path. */
  seen: z.object({ tls: z.boolean(), host: z.string(), path: z.string() }).nullable(),
  entryPoints: z.array(
    z.object({
      name: z.string(),
      address: z.string(),
      ...asked,
      /** Whom the router that takes it asks next, and so on: its children, after its middlewares. The last one leads to a service. */
      below: z.array(
        z.object({
          /** Whose children they are. */
          parent: z.string(),
          ...asked,
        }),
      ),
    }),
  ),
});
export type Routed = z.infer<typeof routed>;
