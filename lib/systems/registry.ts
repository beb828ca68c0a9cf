// The table of the kinds of systems: what each is called, where sluice.yaml has it, and the one line that connects one.

export type SystemKind = {
  readonly kind:
    | "varnish"
    | "cloudflare"
    | "redis"
    | "nginx"
    | "php_fpm"
    | "mariadb"
    | "http"
    | "tcp"
    | "smtp"
    | "docker"
    | "registry"
    | "prometheus"
    | "traefik"
    | "solr"
    | "messenger"
    | "s3"
    | "restic"
    | "alertmanager"
    | "grafana"
    | "heartbeat";
  /** Key under `systems:` in sluice.yaml. */
  readonly configKey: SystemKind["kind"];
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
    kind: "traefik",
    configKey: "traefik",
    title: "Traefik",
    optional: true,
    exampleLine: 'traefik: [{ name: traefik, url: "http://127.0.0.1:8080" }]',
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
    kind: "php_fpm",
    configKey: "php_fpm",
    title: "PHP-FPM",
    optional: true,
    exampleLine: 'php_fpm: [{ name: php, url: "http://127.0.0.1:8080/fpm-status" }]',
  },
  {
    kind: "http",
    configKey: "http",
    title: "HTTP",
    optional: true,
    exampleLine: 'http: [{ name: crm, url: "https://crm.example.org/health" }]',
  },
  {
    kind: "tcp",
    configKey: "tcp",
    title: "TCP",
    optional: true,
    exampleLine: 'tcp: [{ name: ldap, address: "ldap.example.org:636" }]',
  },
  {
    kind: "smtp",
    configKey: "smtp",
    title: "SMTP",
    optional: true,
    exampleLine: `smtp: [{ name: mail, address: "mail.example.org:587", username: sluice, password: "\${SMTP_PASSWORD}" }]`,
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
  {
    kind: "prometheus",
    configKey: "prometheus",
    title: "Prometheus",
    optional: true,
    exampleLine: 'prometheus: [{ name: prometheus, url: "http://127.0.0.1:9090" }]',
  },
  {
    kind: "solr",
    configKey: "solr",
    title: "Solr",
    optional: true,
    exampleLine: 'solr: [{ name: solr, url: "http://127.0.0.1:8983" }]',
  },
  {
    kind: "messenger",
    configKey: "messenger",
    title: "Symfony Messenger",
    optional: true,
    exampleLine: `messenger: [{ name: async, url: "redis://127.0.0.1:6379/0", password: "\${REDIS_PASSWORD}" }]`,
  },
  {
    kind: "s3",
    configKey: "s3",
    title: "S3",
    optional: true,
    exampleLine: `s3: [{ name: media, url: "https://s3.example.org", bucket: media, access_key: "\${S3_ACCESS_KEY}", secret_key: "\${S3_SECRET_KEY}" }]`,
  },
  {
    kind: "restic",
    configKey: "restic",
    title: "Restic",
    optional: true,
    exampleLine: `restic: [{ name: backups, repository: "/srv/backups", password: "\${RESTIC_PASSWORD}" }]`,
  },
  {
    kind: "alertmanager",
    configKey: "alertmanager",
    title: "Alertmanager",
    optional: true,
    exampleLine: 'alertmanager: [{ name: alertmanager, url: "http://127.0.0.1:9093" }]',
  },
  {
    kind: "grafana",
    configKey: "grafana",
    title: "Grafana",
    optional: true,
    exampleLine: 'grafana: [{ name: grafana, url: "http://127.0.0.1:3000" }]',
  },
  {
    kind: "heartbeat",
    configKey: "heartbeat",
    title: "Heartbeat",
    optional: true,
    exampleLine: `heartbeat: [{ name: backup, every: 1d, grace: 1h, token: "\${BACKUP_TOKEN}" }]`,
  },
];
