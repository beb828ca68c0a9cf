// sluice.yaml: what it may say. Every key is explained in sluice.example.yaml.
import * as z from "zod";
import { isNeverAsked } from "../systems/never-asked";

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "lower-case letters, digits, . _ -");
/** "250ms", "2s", "10m", "4h", "90d" -> milliseconds. */
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration such as "500ms", "2s", "10m", "90d"')
  .transform((text) => Number.parseInt(text, 10) * unitMs[text.replace(/^\d+/, "") as keyof typeof unitMs]);
const timeZone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, 'a time zone such as "Europe/Paris"');
/** Told where it is written, not only when it is called (lib/systems/never-asked.ts). */
const asked = (host: string) => !isNeverAsked(host);
const neverAsked =
  "is the cloud's own or no one machine's (169.254.0.0/16, fe80::/10, 0.0.0.0 …), which Sluice never asks: write the service's own address";
const anyHttpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => asked(new URL(text).hostname), { error: neverAsked, abort: true });
const httpUrl = anyHttpUrl.transform((text) => text.replace(/\/+$/, ""));
const cidr = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be a network such as "10.0.0.0/8" or "fd00::/8"',
});
/** A secret is written as `key: ${ENV}` or read from `key_file:`; the loader resolves both into `key`. */
const secret = z.string().min(1);
const timeout = duration.default(3000);
/** What every system has besides its address: its name, and how its health is watched. */
const watched = {
  name,
  /** What it cannot do without: names of other systems, or kind/name ("redis/cache") where two kinds have one of that name. */
  depends_on: z
    .array(z.string().regex(/^([a-z_0-9]+\/)?[a-z0-9][a-z0-9._-]*$/, "a system's name, or kind/name"))
    .default([]),
  /** Time between two looks; health.interval when left out. */
  interval: duration.optional(),
  /** Failed looks in a row, after the first, before it is said to be down; health.retries when left out. */
  retries: z.int().min(0).max(20).optional(),
  /** By which labels Prometheus knows it: { instance: "varnish-1:9131" }. Needed where there are several of its kind. */
  labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name"), z.string()).default({}),
};

const path = z.string().regex(/^\/[\x21-\x7e]*$/, "a path that begins with /");
const address = z
  .string()
  .regex(/^\S+:\d+$/, { error: "host:port", abort: true })
  .refine((text) => asked(text.replace(/:\d+$/, "")), neverAsked);
const redisUrl = z
  .string()
  .regex(/^rediss?:\/\//, { abort: true })
  .refine((text) => !URL.canParse(text) || asked(new URL(text).hostname), neverAsked);

const varnish = z
  .strictObject({
    ...watched,
    /** Where PURGE, BAN, PEEK and ordinary requests are sent; never a public address. */
    url: httpUrl,
    /** Management CLI, host:port, with its secret. */
    admin: z
      .string()
      .regex(/^[^\s:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i)
      .optional(),
    /** Instead: where Sluice listens for the CLI of a varnishd that dials out (-M host:port), an address of its own for each node. */
    admin_listen: z
      .string()
      .regex(/^[^\s:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i, "host:port")
      .optional(),
    secret: secret.optional(),
    /** What the node's VCL understands: "sluice" is the recommended VCL, "plain" only PURGE (and BAN by CLI where admin is set). */
    vcl: z.enum(["sluice", "plain"]).default("sluice"),
    /** Nodes of one cluster run the same VCL and get a new one together. */
    cluster: name.default("varnish"),
    /** The file that varnishd starts with (-f), as Sluice reaches it: on a volume of both. Written at each roll-out, so that a restart keeps it. */
    vcl_path: z
      .string()
      .regex(/^\/[^\0]*\.vcl$/, "an absolute path that ends with .vcl")
      .optional(),
    /** The page of prometheus_varnish_exporter: the node's counters. */
    metrics: httpUrl.optional(),
    timeout,
  })
  .refine((one) => one.admin_listen === undefined || (one.admin === undefined && one.secret !== undefined), {
    error: "admin_listen needs secret, and stands instead of admin",
    path: ["admin_listen"],
  });
const redis = z.strictObject({
  ...watched,
  url: redisUrl,
  password: secret.optional(),
  timeout,
});
const nginx = z.strictObject({
  ...watched,
  url: httpUrl,
  purge: z.boolean().default(true),
  status: path.optional(),
  timeout,
});
const mariadb = z.strictObject({
  ...watched,
  address,
  /** An account (no privilege is needed, REPLICA MONITOR for a replica): its own figures are read. */
  username: z.string().min(1).optional(),
  password: secret.optional(),
  timeout,
});
const phpFpm = z
  .strictObject({
    ...watched,
    /** Its status page at the web server. */
    url: httpUrl.optional(),
    /** Or the pool itself, over FastCGI, with its pm.status_path. */
    address: address.optional(),
    status: path.default("/status"),
    timeout,
  })
  .refine((one) => (one.url === undefined) !== (one.address === undefined), {
    error: "either url (its status page at the web server) or address (the pool itself, host:port)",
    path: ["url"],
  });
const http = z.strictObject({
  ...watched,
  url: anyHttpUrl,
  /** What it is: of the application, or somebody else's. */
  role: z.enum(["symfony", "nuxt", "external"]).default("external"),
  host: z.string().min(1).optional(),
  method: z.enum(["GET", "HEAD", "POST"]).default("GET"),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name"), z.string()).default({}),
  expect_status: z.array(z.int().min(100).max(599)).default([]),
  expect_body: z.string().min(1).optional(),
  tls_days: z.int().min(0).max(365).default(14),
  timeout,
});
const smtp = z.strictObject({
  ...watched,
  address,
  tls: z.enum(["start", "always", "never"]).default("start"),
  username: z.string().min(1).optional(),
  password: secret.optional(),
  timeout: duration.default(10_000),
});
const cloudflare = z.strictObject({
  ...watched,
  api: httpUrl.default("https://api.cloudflare.com"),
  token: secret,
  zone: z.string().regex(/^[0-9a-f]{32}$/, "the zone's id, 32 hexadecimal characters"),
  plan: z.enum(["free", "pro", "business", "enterprise"]).default("free"),
  urls_per_call: z.int().min(1).max(500).default(30),
  timeout: duration.default(10_000),
});
const tcp = z.strictObject({ ...watched, address, timeout });
const docker = z
  .strictObject({
    ...watched,
    socket: z.string().default("/var/run/docker.sock"),
    /** Another host instead of a socket: "tcp://host:2376" or "ssh://user@host". */
    url: z
      .string()
      .regex(/^(tcp|https?):\/\/[^/@\s]+$|^ssh:\/\/([^/@:\s]+@)?[^/@\s]+(\/\S*)?$/, {
        error: '"tcp://host:2376" or "ssh://user@host"',
        abort: true,
      })
      .refine((text) => asked(new URL(text).hostname), neverAsked)
      .optional(),
    ca: secret.optional(),
    cert: secret.optional(),
    key: secret.optional(),
    /** SSH: the fingerprint of the host's key, as `ssh-keygen -lf` prints it. */
    host_key: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, '"SHA256:…", from ssh-keygen -lf')
      .optional(),
    /** By which labels Prometheus knows its machine's node_exporter; `labels` are its cAdvisor's. */
    node_labels: watched.labels,
    timeout,
  })
  .refine((one) => !one.url?.startsWith("ssh:") || (one.host_key !== undefined && one.key !== undefined), {
    error: "ssh:// needs key_file (the private key) and host_key (the fingerprint of the host's key)",
    path: ["host_key"],
  });

const registry = z.strictObject({
  ...watched,
  url: httpUrl,
  /** How it stands in images' names, host[:port]; the url's own when left out. */
  host: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: secret.optional(),
  timeout: duration.default(10_000),
});

const prometheus = z.strictObject({
  ...watched,
  url: httpUrl,
  username: z.string().min(1).optional(),
  password: secret.optional(),
  /** A bearer token instead of user and password. */
  token: secret.optional(),
  /** How often it looks: no step is shorter, and a rate needs four of it. */
  scrape_interval: duration.refine((ms) => ms >= 1000, "a second at least").default(15_000),
  timeout: duration.default(10_000),
});

/** A system that tells its state over HTTP: user and password, or a bearer token, or neither. */
const api = {
  ...watched,
  url: httpUrl,
  username: z.string().min(1).optional(),
  password: secret.optional(),
  token: secret.optional(),
  timeout,
};
const traefik = z.strictObject({
  ...api,
  /** Its page of metrics: requests, and when certificates end. */
  metrics: httpUrl.optional(),
  tls_days: z.int().min(0).max(365).default(14),
  /** The folder of its file provider, as Sluice sees it; Sluice edits the files in it. */
  directory: z.string().startsWith("/", "an absolute path").optional(),
  /** Instead of a folder: Sluice serves the files at /api/traefik/<name> to its HTTP provider, which sends this as a bearer token. */
  provider_token: secret.optional(),
  /** Its access log in JSON, as Sluice sees it: recent requests show what a change does. */
  access_log: z.string().startsWith("/", "an absolute path").optional(),
  /** By entry point: where Sluice reaches it, to ask pages through it. */
  entry_points: z.record(z.string().min(1), httpUrl).default({}),
});
const solr = z.strictObject({
  ...api,
  /** The core or collection that must answer; every core when left out. */
  core: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, "a core's name")
    .optional(),
});
const messenger = z.strictObject({
  ...watched,
  url: redisUrl,
  password: secret.optional(),
  stream: z.string().min(1).default("messages"),
  group: z.string().min(1).default("symfony"),
  /** Stream of the failure transport, where that is in the same Redis. */
  failed: z.string().min(1).optional(),
  /** More failed messages than that want a look. */
  max_failed: z.int().min(0).default(0),
  /** A message that waits longer wants a look. */
  max_wait: duration.default(600_000),
  timeout,
});
const s3 = z.strictObject({
  ...watched,
  url: httpUrl,
  bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]+$/, "a bucket's name"),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, "a region's name")
    .default("us-east-1"),
  access_key: secret,
  secret_key: secret,
  /** Where the bucket's name stands: in the path (endpoint/bucket) or in the host (bucket.endpoint). */
  style: z.enum(["path", "host"]).default("path"),
  timeout: duration.default(10_000),
});
/** Restic's own addresses: a path, or "rest:https://…", "s3:https://…", "sftp:user@host:/path", "b2:bucket:path" … */
const resticAddress = z
  .string()
  .regex(/^[^\s-][^\0\n]*$/, { error: "a repository's address as restic takes it", abort: true })
  .refine((text) => {
    const url = text.replace(/^(rest|s3|swift):(?=https?:)/, "");
    return !/^https?:\/\//.test(url) || !URL.canParse(url) || asked(new URL(url).hostname);
  }, neverAsked);
/** A repository of backups, looked at by the program restic. */
const restic = z
  .strictObject({
    ...watched,
    /** A look at a large repository takes seconds. */
    interval: duration.default(300_000),
    repository: resticAddress,
    password: secret.optional(),
    /** Instead: a program and its arguments; the first line of what it prints is the password. */
    password_command: z.array(z.string().min(1)).min(1).optional(),
    /** Keys of the storage, by the names that restic reads. */
    env: z
      .record(
        z
          .string()
          .regex(
            /^(?!RESTIC_(REPOSITORY|PASSWORD|CACHE_DIR|PROGRESS_FPS|CACERT))[A-Z_][A-Z0-9_]*$/,
            "a variable's name, and none that Sluice itself sets",
          ),
        z.string(),
      )
      .default({}),
    /** PEM file of the authority behind the server's certificate. */
    cacert: z.string().startsWith("/", "an absolute path").optional(),
    /** Without a snapshot for longer than that it wants a look. */
    max_age: duration.default(26 * 3_600_000),
    /** The program, by its name or path. */
    binary: z
      .string()
      .regex(/^[^\s-]\S*$/, "a program's name or path")
      .default("restic"),
    timeout: duration.default(60_000),
  })
  .refine((one) => (one.password === undefined) !== (one.password_command === undefined), {
    error: "either password (or password_file) or password_command",
    path: ["password"],
  });
const apiOnly = z.strictObject(api);
const uid = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, "a uid of Grafana");
const grafana = z.strictObject({
  ...api,
  /** Which changes are marked there: kinds ("purge.gateway") or groups of them ("purge"). All when left out; they need credentials. */
  annotate: z
    .array(z.string().regex(/^[a-z]+(\.[a-z]+)?$/, "a kind of change, such as purge or swarm.scale"))
    .optional(),
  /** Where browsers reach it; url when left out. */
  public_url: httpUrl.optional(),
  org: z.int().min(1).default(1),
  /** Of the data source that is the Prometheus above: Explore opens with it. */
  datasource: uid.optional(),
  /** By kind of component: which dashboard, and what its variables are. */
  dashboards: z
    .record(z.string(), z.strictObject({ uid, vars: z.record(z.string().min(1), z.string()).default({}) }))
    .default({}),
});
/** A job that reports for itself when it ran. */
const heartbeat = z.strictObject({
  ...watched,
  /** How often it runs, and how late it may be. */
  every: duration,
  grace: duration.default(300_000),
  /** What it sends as `Authorization: Bearer`. */
  token: secret,
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
  /** The page by which its health is watched: one that its origin makes anew each time tells most. */
  watch: path.default("/"),
  /** Its status page, /status/<name>; none when left out. */
  status: z
    .strictObject({
      /** For everybody, or only for those who are signed in and have the site. */
      public: z.boolean().default(false),
      title: z.string().trim().min(1).max(100).optional(),
      time_zone: timeZone.default("UTC"),
      /** Whether search engines may keep it; only where it is public. */
      index: z.boolean().default(false),
    })
    .optional(),
  warm: z.strictObject({ per_second: z.number().min(0.1).max(500).default(10) }).prefault({}),
});

/** An address that may hold a token: it is kept out of every log and page. */
const secretUrl = anyHttpUrl;
const channel = {
  name,
  /** Language and time zone of its notices. */
  language: z.enum(["en", "fr"]).default("en"),
  time_zone: timeZone.default("UTC"),
};
const emailChannel = z.strictObject({
  ...channel,
  type: z.literal("email"),
  /** Name of a system under systems.smtp. */
  smtp: name,
  from: z.string().min(3),
  to: z.array(z.email()).min(1),
});
const hookTimeout = duration.default(10_000);
const slackChannel = z.strictObject({
  ...channel,
  type: z.literal("slack"),
  url: secretUrl,
  timeout: hookTimeout,
});
const teamsChannel = z.strictObject({
  ...channel,
  type: z.literal("teams"),
  url: secretUrl,
  timeout: hookTimeout,
});
const ntfyChannel = z.strictObject({
  ...channel,
  type: z.literal("ntfy"),
  url: httpUrl.default("https://ntfy.sh"),
  topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/, "letters, digits, - and _, at most 64"),
  token: secret.optional(),
  timeout: hookTimeout,
});
const webhookChannel = z.strictObject({
  ...channel,
  type: z.literal("webhook"),
  url: secretUrl,
  method: z.enum(["POST", "PUT"]).default("POST"),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name"), z.string()).default({}),
  /** Its body, in Liquid. */
  template: z.string().max(20_000).default("{{ notice | json }}"),
  secret: secret.optional(),
  timeout: hookTimeout,
});
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as "08:30"');
/** "mariadb/*": * stands for any text. */
const glob = z
  .string()
  .regex(/^[a-z0-9._*/-]+$/, 'a name in which * stands for any text, such as "mariadb/*"');
const notifyRule = z.strictObject({
  /** Names of channels. */
  to: z.array(name).min(1),
  /** What of incidents is told. */
  incidents: z
    .array(z.enum(["opened", "reopened", "acknowledged", "closed"]))
    .default(["opened", "reopened", "closed"]),
  /** At least so grave. */
  severity: z.enum(["warning", "critical"]).default("warning"),
  /** Only incidents of these components (kind/name); all when left out. */
  components: z.array(glob).default([]),
  /** Kinds of changes that are told when they end; none when left out. */
  changes: z.array(glob).default([]),
  /** Which ends of these changes. */
  outcomes: z.array(z.enum(["done", "failed"])).default(["done", "failed"]),
  /** Only at these hours. */
  hours: z
    .strictObject({
      from: clock,
      to: clock,
      days: z
        .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
        .min(1)
        .optional(),
      time_zone: timeZone.default("UTC"),
    })
    .optional(),
});

/** GitLab takes labels joined by commas, Jira none with spaces, GitHub at most 50 characters. */
const label = z.string().regex(/^[^\s,]{1,50}$/, "a label without spaces and commas, at most 50 characters");
const tracker = {
  name,
  /** Incidents at least so grave become tickets. */
  severity: z.enum(["warning", "critical"]).default("critical"),
  timeout: hookTimeout,
};
const issueTracker = {
  ...tracker,
  token: secret,
  /** Besides sluice-incident-<number>. */
  labels: z.array(label).max(20).default([]),
  /** Whether a ticket is closed with its incident; else only a comment says that it ended. */
  close: z.boolean().default(false),
};
const gitlabTracker = z.strictObject({
  ...issueTracker,
  type: z.literal("gitlab"),
  url: httpUrl.default("https://gitlab.com"),
  project: z
    .string()
    .regex(/^(\d+|[\w.-]+(\/[\w.-]+)+)$/, "a project: its number, or group/name as in its address"),
});
const githubTracker = z.strictObject({
  ...issueTracker,
  type: z.literal("github"),
  url: httpUrl.default("https://api.github.com"),
  repo: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "a repository, owner/name"),
});
const jiraTracker = z.strictObject({
  ...issueTracker,
  type: z.literal("jira"),
  url: httpUrl,
  project: z.string().regex(/^[A-Z][A-Z0-9_]+$/, "a project's key, such as OPS"),
  issue_type: z.string().min(1).default("Task"),
  /** Cloud: the e-mail address of the token's owner. Data Center: none. */
  username: z.string().min(1).optional(),
  /** Transitions by name; found by themselves when left out. */
  done: z.string().min(1).optional(),
  reopen: z.string().min(1).optional(),
});
const hookTracker = z.strictObject({
  ...tracker,
  type: z.literal("webhook"),
  url: secretUrl,
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name"), z.string()).default({}),
  secret: secret.optional(),
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
  /** Who may read Sluice's own /metrics: with this token, or from these networks; nobody when neither is set. */
  metrics: z.strictObject({ token: secret.optional(), networks: z.array(cidr).default([]) }).prefault({}),
  /** Whether newer images are looked for, and how often. */
  updates: z
    .strictObject({ enabled: z.boolean().default(true), every: duration.default(6 * 3_600_000) })
    .prefault({}),
  /** How the systems' health is watched, and how long it is remembered. */
  health: z
    .strictObject({
      interval: duration.default(10_000),
      retries: z.int().min(0).max(20).default(1),
      keep: duration.default(400 * 86_400_000),
      /** Share of the time that a component should be up, in percent: what is left of the rest is its error budget. */
      objective: z.number().min(50).max(99.999).default(99.9),
      /** Kind -> signal -> PromQL with $labels and $window, instead of lib/health/queries.ts. */
      queries: z.record(z.string(), z.record(z.string(), z.string().min(1).max(2000))).default({}),
    })
    .prefault({}),
  /** "critical": an alert of that severity that no open incident covers opens one; "none": only what Sluice sees itself does. */
  alerts: z.strictObject({ open: z.enum(["critical", "none"]).default("critical") }).prefault({}),
  notify: z
    .strictObject({
      channels: z
        .array(
          z.discriminatedUnion("type", [
            emailChannel,
            slackChannel,
            teamsChannel,
            ntfyChannel,
            webhookChannel,
          ]),
        )
        .default([]),
      /** Who hears of what. Without any, every channel hears of every incident. */
      rules: z.array(notifyRule).default([]),
      /** How long it waits after an incident opened before it tells: the cause is known better then. */
      delay: duration.default(10_000),
      /** How long it tries to hand a notice over before it gives up. */
      give_up: duration.default(86_400_000),
      /** An address outside that is called as long as notices work: it raises the alarm when the calls stop. */
      dead_man: z.strictObject({ url: secretUrl, every: duration.default(60_000) }).optional(),
    })
    .prefault({}),
  /** Where incidents become tickets. */
  tickets: z
    .array(z.discriminatedUnion("type", [gitlabTracker, githubTracker, jiraTracker, hookTracker]))
    .default([]),
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
      php_fpm: z.array(phpFpm).default([]),
      mariadb: z.array(mariadb).default([]),
      http: z.array(http).default([]),
      tcp: z.array(tcp).default([]),
      smtp: z.array(smtp).default([]),
      registry: z.array(registry).default([]),
      prometheus: z.array(prometheus).max(1).default([]),
      traefik: z.array(traefik).default([]),
      solr: z.array(solr).default([]),
      messenger: z.array(messenger).default([]),
      s3: z.array(s3).default([]),
      restic: z.array(restic).default([]),
      alertmanager: z.array(apiOnly).max(1).default([]),
      grafana: z.array(grafana).max(1).default([]),
      heartbeat: z.array(heartbeat).default([]),
    })
    .prefault({}),
  sites: z.array(site).default([]),
});

export type Config = z.infer<typeof configSchema>;
export type SiteConfig = Config["sites"][number];
