// Requests as people write them, for the API's description. A test sends each through its schema.

type Examples = Readonly<Record<string, { readonly summary: string; readonly value: object }>>;

const page = { target: { by: "url", urls: ["https://www.example.org/en/news"] } };

/** Examples of bodies by operation: "POST /purges". */
export const examples: Readonly<Record<string, Examples>> = {
  "POST /purges": {
    page: { summary: "One page, waiting up to 10 s for the proof", value: { ...page, wait_ms: 10_000 } },
    tag: {
      summary: "Everything that carries a tag, kept for readers while it is fetched again",
      value: { target: { by: "tag", site: "main", tags: ["article-42"] }, mode: "soft" },
    },
    everything: {
      summary: "All of it; the plan says what must be typed",
      value: { target: { by: "everything" }, confirmation: "everything", reason: "Launch" },
    },
  },
  "POST /purges/plan": { page: { summary: "What purging one page would do", value: page } },
  "POST /services/acts": {
    restart: {
      summary: "Restart one container",
      value: { host: "local", act: "restart", target: { by: "containers", ids: ["shop-php-1"] } },
    },
    workers: {
      summary: "Restart every worker of a project",
      value: { host: "local", act: "restart", target: { by: "workers", project: "shop" } },
    },
  },
  "POST /silences": {
    queue: {
      summary: "One alert of one database, until the evening",
      value: {
        matchers: [
          { name: "alertname", value: "MariadbReplicaBehind" },
          { name: "instance", value: "db-[12]", isRegex: true },
        ],
        endsAt: "2026-11-25T18:00:00Z",
        reason: "Large import until the evening",
      },
    },
  },
  "POST /services/deploys": {
    tag: {
      summary: "Another tag of the same repository, watched for a minute",
      value: { host: "local", id: "shop-php-1", image: "1.4.2", watchMs: 60_000 },
    },
  },
  "POST /swarm/acts": {
    scale: {
      summary: "Three tasks of one service",
      value: { host: "local", act: "scale", name: "shop_php", replicas: 3 },
    },
    drain: {
      summary: "Take everything off a node",
      value: { host: "local", act: "availability", name: "web-2", availability: "drain" },
    },
  },
  "POST /cloudflare/security": {
    attack: {
      summary: "Under attack for an hour, then back to what it was",
      value: { name: "cloudflare", level: "under_attack", minutes: 60 },
    },
  },
  "POST /services/logs": {
    errors: {
      summary: "The errors of two containers in an hour",
      value: {
        of: [
          { host: "local", id: "shop-php-1" },
          { host: "local", id: "shop-nginx-1" },
        ],
        levels: ["error", "fatal"],
        since: "2026-11-24T02:00:00Z",
        until: "2026-11-24T03:00:00Z",
        follow: false,
      },
    },
  },
  "POST /users": {
    editor: {
      summary: "An editor of one site",
      value: { name: "Élise", email: "elise@example.org", role: "editor", sites: ["main"] },
    },
  },
  "POST /keys": {
    purge: { summary: "For a deploy script", value: { name: "deploy", scope: "purge", expiresInDays: 365 } },
  },
};
