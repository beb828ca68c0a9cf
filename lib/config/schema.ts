// sluice.yaml: what it may say. Every key is explained in sluice.example.yaml.
import * as z from "zod";

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "lower-case letters, digits, . _ -");
/** "250ms", "2s", "10m", "4h", "90d" -> milliseconds. */
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration such as "500ms", "2s", "10m", "90d"')
  .transform((text) => Number.parseInt(text, 10) * unitMs[text.replace(/^\d+/, "") as keyof typeof unitMs]);
const httpUrl = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ""));
const cidr = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be a network such as "10.0.0.0/8" or "fd00::/8"',
});
/** A secret is written as `key: ${ENV}` or read from `key_file:`; the loader resolves both into `key`. */
const secret = z.string().min(1);
const timeout = duration.default(3000);

const varnish = z.strictObject({
  name,
  /** Where PURGE, BAN, PEEK and ordinary requests are sent; never a public address. */
  url: httpUrl,
  /** Management CLI, host:port, with its secret. */
  admin: z
    .string()
    .regex(/^[^\s:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i)
    .optional(),
  secret: secret.optional(),
  /** What the node's VCL understands: "sluice" is the recommended VCL, "plain" only PURGE (and BAN by CLI where admin is set). */
  vcl: z.enum(["sluice", "plain"]).default("sluice"),
  timeout,
});
const redis = z.strictObject({
  name,
  url: z.string().regex(/^rediss?:\/\//),
  password: secret.optional(),
  timeout,
});
const nginx = z.strictObject({ name, url: httpUrl, purge: z.boolean().default(true), timeout });
const cloudflare = z.strictObject({
  name,
  api: httpUrl.default("https://api.cloudflare.com"),
  token: secret,
  zone: z.string().regex(/^[0-9a-f]{32}$/, "the zone's id, 32 hexadecimal characters"),
  plan: z.enum(["free", "pro", "business", "enterprise"]).default("free"),
  urls_per_call: z.int().min(1).max(500).default(30),
  timeout: duration.default(10_000),
});
const tcp = z.strictObject({ name, address: z.string().regex(/^\S+:\d+$/), timeout });
const docker = z
  .strictObject({
    name,
    socket: z.string().default("/var/run/docker.sock"),
    /** Another host instead of a socket: "tcp://host:2376" or "ssh://user@host". */
    url: z
      .string()
      .regex(/^(tcp|https?):\/\/[^/@\s]+$|^ssh:\/\/([^/@:\s]+@)?[^/@\s]+(\/\S*)?$/, {
        message: '"tcp://host:2376" or "ssh://user@host"',
      })
      .optional(),
    ca: secret.optional(),
    cert: secret.optional(),
    key: secret.optional(),
    /** SSH: the fingerprint of the host's key, as `ssh-keygen -lf` prints it. */
    host_key: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, '"SHA256:…", from ssh-keygen -lf')
      .optional(),
    timeout,
  })
  .refine((one) => !one.url?.startsWith("ssh:") || (one.host_key !== undefined && one.key !== undefined), {
    error: "ssh:// needs key_file (the private key) and host_key (the fingerprint of the host's key)",
    path: ["host_key"],
  });

const registry = z.strictObject({
  name,
  url: httpUrl,
  /** How it stands in images' names, host[:port]; the url's own when left out. */
  host: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: secret.optional(),
  timeout: duration.default(10_000),
});

const expansion = z.strictObject({
  /** Template of an address that belongs to a page: {path}, {path|encoded}, {locale}. */
  url: z.string().startsWith("/"),
  /** What it is, for the plan: shown as it stands, or a known word (page, data, sibling, list). */
  label: z.string().default("data"),
  /** Only for pages whose path matches (RE2). */
  when: z.string().optional(),
});
const site = z.strictObject({
  name,
  title: z.string().optional(),
  /** Public addresses, scheme, host and port as a visitor types them; the first one is the main one. */
  addresses: z.array(httpUrl).min(1),
  /** Where the uncached truth is read (Nginx directly). Bodies are compared with its. */
  origin: httpUrl.optional(),
  /** Where the edge answers, when not at the public address itself (labs, split DNS). */
  edge: httpUrl.optional(),
  caches: z
    .strictObject({
      redis: z.array(z.strictObject({ system: name, keys: z.array(z.string().min(1)).min(1) })).default([]),
      nginx: z.array(name).default([]),
      varnish: z.array(name).default([]),
      cloudflare: name.optional(),
    })
    .prefault({}),
  /** Longest time the backend needs for an answer: the second pass comes after it. */
  second_pass: duration.default(2000),
  expand: z.array(expansion).default([]),
  /** Find locale siblings in the API's or page's Link: rel=alternate headers and <link> elements. */
  siblings: z.boolean().default(true),
  /** Purge the tags the cached page carries as well (lists that show it); "none" purges addresses only. */
  tags: z.enum(["none", "own"]).default("none"),
  trailing_slash: z.enum(["both", "as_given"]).default("both"),
  /** Query parameters the VCL strips before hashing, as RE2 on the name. */
  strip_query: z.array(z.string()).default([]),
  sort_query: z.boolean().default(false),
  accept_encodings: z.array(z.string()).default(["gzip"]),
  /** Request headers by which Cloudflare keeps variants of a page: each set is one variant that is purged as well. */
  cloudflare_variants: z
    .array(
      z.partialRecord(
        z.enum(["CF-Device-Type", "CF-IPCountry", "Accept-Language", "Origin"]),
        z
          .string()
          .min(1)
          .max(1000)
          .regex(/^[\x20-\x7e]+$/),
      ),
    )
    .max(20)
    .default([]),
  /** Parts of a body (RE2) that differ at each answer (CSRF tokens): cut before bodies are compared. */
  ignore: z.array(z.string()).default([]),
  sitemap: z.string().default("/sitemap.xml"),
  warm: z.strictObject({ per_second: z.number().min(0.1).max(500).default(10) }).prefault({}),
});

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      /** Public address of Sluice: links, cookies, allowed origin. */
      url: httpUrl.default("http://localhost:3000"),
      /** Proxies whose X-Forwarded-For is believed. */
      trusted_proxies: z.array(cidr).default([]),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      listen: z
        .string()
        .regex(/^\S+:\d+$/)
        .default("127.0.0.1:3100"),
      enabled: z.boolean().default(true),
      networks: z.array(cidr).default(["127.0.0.0/8", "::1/128"]),
      token: secret.optional(),
      window: duration.default(250),
    })
    .prefault({}),
  /** Whether newer images are looked for, and how often. */
  updates: z
    .strictObject({ enabled: z.boolean().default(true), every: duration.default(6 * 3_600_000) })
    .prefault({}),
  history: z.strictObject({ keep: duration.default(365 * 86_400_000) }).prefault({}),
  auth: z
    .strictObject({
      oidc: z
        .array(
          z.strictObject({
            name,
            title: z.string().optional(),
            issuer: httpUrl,
            client_id: z.string().min(1),
            client_secret: secret,
            /** Role for a first sign-in by this provider; "none" lets only known e-mail addresses in. */
            default_role: z.enum(["none", "viewer", "editor", "operator"]).default("none"),
          }),
        )
        .default([]),
    })
    .prefault({}),
  systems: z
    .strictObject({
      docker: z.array(docker).default([]),
      varnish: z.array(varnish).default([]),
      redis: z.array(redis).default([]),
      nginx: z.array(nginx).default([]),
      cloudflare: z.array(cloudflare).default([]),
      mariadb: z.array(tcp).default([]),
      registry: z.array(registry).default([]),
    })
    .prefault({}),
  sites: z.array(site).default([]),
});

export type Config = z.infer<typeof configSchema>;
export type SiteConfig = Config["sites"][number];
