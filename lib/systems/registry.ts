// The table of the kinds of systems: what each is called, where sluice.yaml has it, and the one line that connects one.

export type SystemKind = {
  readonly kind: "varnish" | "cloudflare" | "redis" | "nginx" | "mariadb" | "docker" | "registry";
  /** Key under `systems:` in sluice.yaml. */
  readonly configKey: "varnish" | "cloudflare" | "redis" | "nginx" | "mariadb" | "docker" | "registry";
  /** Its proper name, the same in every language. */
  readonly title: string;
  /** Under `systems:`, the line that connects one. */
  readonly exampleLine: string;
  /** Nothing is missing where none is configured: Sluice finds its way without. */
  readonly optional?: true;
};

/** From the visitors inwards, as the requests flow. */
export const systemKinds: readonly SystemKind[] = [
  {
    kind: "cloudflare",
    configKey: "cloudflare",
    title: "Cloudflare",
    exampleLine: `cloudflare: [{ name: cloudflare, token: "\${CLOUDFLARE_TOKEN}", zone: "0123456789abcdef0123456789abcdef" }]`,
  },
  {
    kind: "varnish",
    configKey: "varnish",
    title: "Varnish",
    exampleLine: 'varnish: [{ name: varnish-1, url: "http://127.0.0.1:6081" }]',
  },
  {
    kind: "nginx",
    configKey: "nginx",
    title: "Nginx",
    exampleLine: 'nginx: [{ name: nginx, url: "http://127.0.0.1:8080" }]',
  },
  {
    kind: "redis",
    configKey: "redis",
    title: "Redis",
    exampleLine: `redis: [{ name: redis, url: "redis://127.0.0.1:6379/0", password: "\${REDIS_PASSWORD}" }]`,
  },
  {
    kind: "mariadb",
    configKey: "mariadb",
    title: "MariaDB",
    exampleLine: 'mariadb: [{ name: mariadb, address: "127.0.0.1:3306" }]',
  },
  {
    kind: "docker",
    configKey: "docker",
    title: "Docker Engine",
    exampleLine: 'docker: [{ name: docker, socket: "/var/run/docker.sock" }]',
  },
  {
    kind: "registry",
    configKey: "registry",
    title: "Container registry",
    optional: true,
    exampleLine: `registry: [{ name: registry, url: "https://registry.example.org", username: sluice, password: "\${REGISTRY_PASSWORD}" }]`,
  },
];
