// The usual acts on Traefik's files, as forms ask for them.
import * as z from "zod";
import { configFiles, fileName, traefikName } from "../files/contract";

const printable = /^[\x20-\x7e]*$/;
/** A router's, service's or middleware's name. */
export const elementName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "letters, digits, dots, - and _");
/** A name in these files, or of another provider: "auth@docker". */
const reference = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9][\w.-]*(@[a-z0-9-]+)?$/, "a name");
const host = z
  .string()
  .trim()
  .min(1)
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i,
    "a host's name in ASCII",
  );
const urlPath = z
  .string()
  .trim()
  .max(1000)
  .regex(/^\/[\x21-\x7e]*$/, "a path that begins with /");
const header = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^[!#$%&'*+.^_`|~\w-]+$/, "a header's name"),
  /** Empty: the header is taken away. */
  value: z.string().max(2000).regex(printable, "plain text on one line"),
});
const network = z.string().trim().min(1).max(60);
const entryPoints = z.array(elementName).max(20);

/** To which routers a middleware is put before those that they have; none: it is only written. */
const routers = z.array(elementName).max(100);

export const route = z.object({
  act: z.literal("route"),
  name: elementName,
  hosts: z.array(host).min(1).max(50),
  path: urlPath.optional(),
  /** A service that exists, or addresses of servers of a new one with the router's name. */
  to: z.union([
    z.object({ service: reference }),
    z.object({
      servers: z
        .array(z.url({ protocol: /^(https?|h2c)$/ }))
        .min(1)
        .max(50),
    }),
  ]),
  entryPoints,
  /** Null: without TLS; "": with the certificates that there are. */
  certResolver: z.string().trim().max(100).nullable(),
  middlewares: z.array(reference).max(50).default([]),
});
export const redirect = z.object({
  act: z.literal("redirects"),
  /** What the middlewares and routers are called, with a number each. Those that are there stay; a source that is there gets the new target. */
  name: elementName,
  /**
   * CSV: from, to, and "temporary" or "permanent" (301 when left out); a first line of names is left out. From: an address, host/path, or
   * a path of every host. The visitor's query is kept, unless one of the two has a query of its own.
   */
  csv: z.string().min(1).max(1_000_000),
  entryPoints,
  certResolver: z.string().trim().max(100).nullable(),
});
export const headers = z.object({
  act: z.literal("headers"),
  name: elementName,
  request: z.array(header).max(50).default([]),
  response: z.array(header).max(50).default([]),
  routers,
});
export const basicAuth = z.object({
  act: z.literal("basicAuth"),
  name: elementName,
  realm: z.string().trim().max(100).regex(printable).default(""),
  /** Hashed here, and kept nowhere. Without a password: the user's hash stays as it is. */
  users: z
    .array(
      z.object({
        name: z
          .string()
          .trim()
          .min(1)
          .max(100)
          .regex(/^[\x21-\x39\x3b-\x7e]+$/, "a name without spaces and colons"),
        password: z.string().max(72).optional(),
      }),
    )
    .min(1)
    .max(100),
  routers,
});
export const ipAllowList = z.object({
  act: z.literal("ipAllowList"),
  name: elementName,
  ranges: z.array(network).min(1).max(1000),
  /** How many proxies before Traefik are trusted with X-Forwarded-For; 0: the peer's own address. */
  depth: z.int().min(0).max(10).default(0),
  routers,
});
export const rateLimit = z.object({
  act: z.literal("rateLimit"),
  name: elementName,
  average: z.int().min(1).max(1_000_000),
  /** Seconds in which `average` may come. */
  periodS: z.int().min(1).max(86_400).default(1),
  burst: z.int().min(1).max(1_000_000),
  depth: z.int().min(0).max(10).default(0),
  routers,
});
export const canary = z.object({
  act: z.literal("canary"),
  /** The weighted service; routers lead there. */
  name: elementName,
  parts: z
    .array(z.object({ service: reference, weight: z.int().min(0).max(1000) }))
    .min(2)
    .max(20),
  /** Name of a cookie that keeps a visitor with one of them; empty: none. */
  cookie: z
    .string()
    .trim()
    .max(50)
    .regex(/^[\w-]*$/)
    .default(""),
  routers,
});
export const maintenance = z.object({
  act: z.literal("maintenance"),
  /** Off: its routers are taken away. */
  on: z.boolean(),
  name: elementName.default("maintenance"),
  hosts: z.array(host).max(50).default([]),
  path: urlPath.optional(),
  entryPoints,
  /** With TLS as well as without. */
  tls: z.boolean().default(false),
  /** Who comes through: networks by the peer's address, and one header or cookie that has this value. */
  bypass: z
    .object({
      networks: z.array(network).max(100).default([]),
      header: header.optional(),
      cookie: z
        .object({ name: z.string().regex(/^[\w-]{1,50}$/), value: z.string().regex(/^[\w-]{8,100}$/) })
        .optional(),
    })
    .prefault({}),
  /** What answers: a service that exists; left out: 503 by Traefik itself. */
  service: reference.optional(),
  /** Sent as Retry-After. */
  retryAfterS: z
    .int()
    .min(1)
    .max(86_400 * 30)
    .optional(),
  /** UTC, ISO 8601: Sluice switches it off then. */
  until: z.iso.datetime().optional(),
});
const tlsVersion = z.enum(["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"]);
export const tlsOptions = z.object({
  act: z.literal("tlsOptions"),
  name: elementName,
  minVersion: tlsVersion.default("VersionTLS12"),
  maxVersion: tlsVersion.optional(),
  cipherSuites: z.array(z.string().max(100)).max(50).default([]),
  sniStrict: z.boolean().default(false),
  routers,
});
export const act = z.discriminatedUnion("act", [
  route,
  redirect,
  headers,
  basicAuth,
  ipAllowList,
  rateLimit,
  canary,
  maintenance,
  tlsOptions,
]);
export type Act = z.infer<typeof act>;

export const actRequest = z.object({
  traefik: traefikName,
  /** The draft as the page has it, secrets as marks. */
  files: configFiles,
  /** Where new things are written; left out: where the name is already, else "sluice.yml". */
  file: fileName.optional(),
  act,
});
export type ActRequest = z.infer<typeof actRequest>;
