// sluice.yaml: what is understood, what is refused and with which words, and that a bad file keeps the last good one.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is sluice.yaml that says ${NAME}, not TypeScript
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { ConfigSource, describeProblem } from "./load";
import { type ConfigProblem, type ParsedConfig, parseConfig } from "./parse";
import { configSchema } from "./schema";

const root = mkdtempSync(join(tmpdir(), "sluice-config-"));
let folder = root;
let runs = 0;
beforeEach(() => {
  folder = join(root, String(++runs));
  mkdirSync(folder);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function parse(text: string, env: Record<string, string> = {}): ParsedConfig {
  return parseConfig(text, join(folder, "sluice.yaml"), env);
}
function good(text: string, env: Record<string, string> = {}) {
  const parsed = parse(text, env);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}
function problems(text: string, env: Record<string, string> = {}): readonly ConfigProblem[] {
  const parsed = parse(text, env);
  if (parsed.ok) throw new Error("it was taken");
  return parsed.problems;
}

const node = (name: string): string => `    - { name: ${name}, url: http://${name} }\n`;

describe("what is understood", () => {
  test("an empty file, and one of comments only, is all defaults", () => {
    expect(good("")).toEqual(configSchema.parse({}));
    expect(good("# nothing yet\n")).toEqual(configSchema.parse({}));
    expect(good("").gateway).toMatchObject({ listen: "127.0.0.1:3100", window: 250 });
  });

  test("durations become milliseconds", () => {
    expect(good("history: { keep: 90d }").history.keep).toBe(90 * 86_400_000);
    expect(good("gateway: { window: 2s }").gateway.window).toBe(2000);
  });

  test("${ENV} anywhere in a text, $${ for a literal one, and never in a key", () => {
    expect(good('gateway: { token: "a-${X}-${Y}" }', { X: "1", Y: "${X}" }).gateway.token).toBe("a-1-${X}");
    expect(good('gateway: { token: "$${X}" }').gateway.token).toBe("${X}");
    expect(problems("${X}: 1", { X: "server" })[0]?.message).toContain("there is no such key");
  });

  test("*_file is read relative to the file, without its last line end, and is not interpolated", () => {
    writeFileSync(join(folder, "secret"), "p4ss${HOME}\n");
    expect(good("gateway:\n  token_file: secret\n").gateway.token).toBe("p4ss${HOME}");
    expect(good("gateway:\n  token_file: ${DIR}/secret\n", { DIR: folder }).gateway.token).toBe(
      "p4ss${HOME}",
    );
  });

  test("the example: valid, and it names every key there is", () => {
    const text = readFileSync(join(import.meta.dirname, "../../sluice.example.yaml"), "utf8");
    const env = {
      SLUICE_GATEWAY_TOKEN: "t",
      SLUICE_METRICS_TOKEN: "t",
      OIDC_CLIENT_SECRET: "s",
      VARNISH_SECRET: "v",
      REDIS_PASSWORD: "r",
      CLOUDFLARE_TOKEN: "c",
      REGISTRY_PASSWORD: "r",
      MARIADB_PASSWORD: "m",
      HEALTH_TOKEN: "h",
      SMTP_PASSWORD: "s",
      SLACK_WEBHOOK: "https://hooks.slack.example/services/T/B/x",
      TEAMS_WEBHOOK: "https://teams.example/workflows/x",
      NTFY_TOKEN: "t",
      CHAT_WEBHOOK: "https://chat.example.org/hook",
      CHAT_SECRET: "s",
      DEAD_MAN_URL: "https://hc.example.org/x",
      GITLAB_TOKEN: "t",
      GITHUB_TOKEN: "t",
      JIRA_TOKEN: "t",
      TICKET_HOOK: "https://desk.example.org/hook",
      TICKET_SECRET: "s",
      PROMETHEUS_PASSWORD: "p",
      PROMETHEUS_TOKEN: "t",
      TRAEFIK_PASSWORD: "p",
      TRAEFIK_TOKEN: "t",
      TRAEFIK_PROVIDER_TOKEN: "t",
      SOLR_PASSWORD: "p",
      SOLR_TOKEN: "t",
      RESTIC_PASSWORD: "r",
      S3_ACCESS_KEY: "a",
      S3_SECRET_KEY: "s",
      ALERTMANAGER_PASSWORD: "p",
      ALERTMANAGER_TOKEN: "t",
      GRAFANA_PASSWORD: "p",
      GRAFANA_TOKEN: "t",
      BACKUP_TOKEN: "t",
      DOCKER_CA: "ca",
      DOCKER_CERT: "cert",
      DOCKER_KEY: "key",
      DOCKER_SSH_KEY: "key",
    };
    const example = good(text, env);
    const missing: string[] = [];
    // Every system has these; one of them shows how.
    const ofAll = /^systems\.(?!nginx\.)\w+\.0\.(depends_on|interval|retries|labels)$/;
    const compare = (schema: unknown, value: unknown, path: string): void => {
      const inner = unwrap(schema);
      if (inner instanceof z.ZodObject) {
        for (const [key, field] of Object.entries(inner.shape)) {
          const given = (value as Record<string, unknown> | undefined)?.[key];
          // Defaults fill values in, so that the key must be looked for in the text as well.
          if (given === undefined || !new RegExp(`^[ -]*${key}:`, "m").test(text))
            missing.push(`${path}${key}`);
          else compare(field, given, `${path}${key}.`);
        }
      } else if (inner instanceof z.ZodArray && inner.element instanceof z.ZodDiscriminatedUnion) {
        const { options, def } = inner.element;
        for (const option of options as z.ZodObject[]) {
          const type = String((option.shape[def.discriminator] as z.ZodLiteral).value);
          const all = (value as Record<string, unknown>[]).filter((one) => one[def.discriminator] === type);
          // What all of them have is shown by one.
          const shown = Object.assign({}, ...(value as object[]), ...all);
          if (all.length === 0) missing.push(`${path}${type}`);
          else compare(option, shown, `${path}${type}.`);
        }
      } else if (inner instanceof z.ZodArray && inner.element instanceof z.ZodObject) {
        const all = value as object[];
        if (all.length === 0) missing.push(`${path}0`);
        // Several entries may show between them what excludes each other in one.
        else compare(inner.element, Object.assign({}, ...all), `${path}0.`);
      }
    };
    compare(configSchema, example, "");
    expect(missing.filter((path) => !ofAll.test(path))).toEqual([]);
  });

  test("notices: channels and mail servers that there are, templates that can be read, hours of a zone", () => {
    const of = (more: string) =>
      `notify:\n  channels:\n    - { name: c, type: webhook, url: "https://x.example/"${more} }\n`;
    expect(good(of(', template: "{{ notice.title }}"')).notify.channels).toHaveLength(1);
    const said = (text: string) =>
      problems(text).map(({ message }) => message.split(": ").slice(1).join(": "));
    expect(said(of(', template: "{% if %}"'))[0]).toMatch(/not a Liquid template: line 1, column 6/);
    expect(said(of(", time_zone: Mars"))[0]).toMatch(/Europe\/Paris/);
    expect(said(`${of("")}  rules: [{ to: [nobody] }]\n`)).toEqual(["there is no channel called nobody."]);
    expect(
      said("notify:\n  channels: [{ name: m, type: email, smtp: mail, from: a@b.c, to: [a@b.ch] }]\n")[0],
    ).toMatch(/no smtp system called mail/);
  });

  test("trackers: names that no channel has, projects as each writes them, labels that all take", () => {
    const of = (more: string) => `tickets:\n  - { name: t, token: x${more} }\n`;
    expect(good(of(", type: gitlab, project: a/b/c-d")).tickets[0]).toMatchObject({
      url: "https://gitlab.com",
      severity: "critical",
      close: false,
    });
    const said = (text: string) =>
      problems(text).map(({ message }) => message.split(": ").slice(1).join(": "));
    expect(said(of(", type: gitlab, project: b"))[0]).toMatch(/its number, or group\/name/);
    expect(said(of(", type: github, repo: a/b/c"))[0]).toMatch(/owner\/name/);
    expect(said(of(", type: jira, url: https://j.example, project: ops"))[0]).toMatch(/such as OPS/);
    expect(said(of(', type: github, repo: a/b, labels: ["a b"]'))[0]).toMatch(/without spaces/);
    expect(said("tickets: [{ name: t, type: github, repo: a/b }]\n")[0]).toMatch(/missing/);
    expect(
      said(
        `${of(", type: github, repo: a/b")}notify: { channels: [{ name: t, type: slack, url: https://x.example }] }\n`,
      ),
    ).toEqual(["a channel of notify is called t: names are unique."]);
  });

  test("what a system depends on: another one, by a name that means one", () => {
    const of = (refs: string) =>
      `systems:\n  redis: [{ name: main, url: "redis://r" }]\n  mariadb: [{ name: main, address: "m:3306" }, { name: copy, address: "c:3306" }]\n  nginx: [{ name: nginx, url: "http://n", depends_on: [${refs}] }]\n`;
    expect(good(of("copy, redis/main")).systems.nginx[0]?.depends_on).toEqual(["copy", "redis/main"]);
    const said = (refs: string) =>
      problems(of(refs)).map(({ message }) => message.split(": ").slice(1).join(": "));
    expect(said("main")).toEqual(["redis/main and mariadb/main have that name: write one of them."]);
    expect(said("nginx")).toEqual(["a system does not depend on itself."]);
    expect(said("solr/x")).toEqual(["there is no system called solr/x."]);
  });
});

/** A schema without its optional, default and prefault wrappers. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

describe("what is refused, where and with which words", () => {
  const cases: readonly [
    what: string,
    text: string,
    line: number,
    path: string | undefined,
    words: RegExp,
  ][] = [
    ["broken YAML", "server:\n  url: [http://x\nsites: []\n", 3, undefined, /./],
    ["a key twice", "history: {}\nhistory: {}\n", 2, undefined, /unique/i],
    ["an unknown key", "server:\n  uri: http://x\n", 2, "server.uri", /no such key/],
    ["a bad duration", "server: {}\nhistory:\n  keep: soon\n", 3, "history.keep", /a duration such as/],
    ["a missing key", "systems:\n  varnish:\n    - name: v1\n", 3, "systems.varnish.0.url", /is missing/],
    ["a wrong type", "gateway:\n  enabled: 7\n", 2, "gateway.enabled", /boolean/],
    [
      "a bad network",
      "gateway:\n  networks:\n    - 10.0.0.0/8\n    - tomorrow\n",
      4,
      "gateway.networks.1",
      /must be a network such as/,
    ],
    ["a bad address", "server:\n  url: ftp://x\n", 2, "server.url", /URL/],
    [
      "an address of the cloud's own",
      "systems:\n  http:\n    - name: crm\n      url: http://169.254.169.254/latest\n",
      4,
      "systems.http.0.url",
      /never asks/,
    ],
    [
      "a hook to the cloud's own address, whose token is not told",
      "notify:\n  dead_man:\n    url: https://[::ffff:169.254.169.254]/SeCrEt\n",
      3,
      "notify.dead_man.url",
      /^(?!.*SeCrEt).*never asks/,
    ],
    [
      "a port at no one machine's address",
      "systems:\n  tcp:\n    - name: ldap\n      address: 0.0.0.0:389\n",
      4,
      "systems.tcp.0.address",
      /never asks/,
    ],
    [
      "a Redis there",
      "systems:\n  redis:\n    - name: cache\n      url: redis://169.254.1.1:6379\n",
      4,
      "systems.redis.0.url",
      /never asks/,
    ],
    [
      "an engine there",
      "systems:\n  docker:\n    - name: far\n      url: tcp://169.254.1.1:2375\n",
      4,
      "systems.docker.0.url",
      /never asks/,
    ],
    ["a variable that is not set", "gateway:\n  token: ${NOT_THERE}\n", 2, undefined, /NOT_THERE is not set/],
    [
      "a file that is not there",
      "gateway:\n  token_file: nowhere\n",
      2,
      "token_file",
      /nowhere is not there/,
    ],
    ["value and file both", "gateway:\n  token: a\n  token_file: b\n", 3, "token_file", /keep one/],
    [
      "a name twice",
      `systems:\n  varnish:\n${node("v1")}${node("v1")}`,
      4,
      "systems.varnish.1.name",
      /unique/,
    ],
    [
      "a name that is not there",
      `systems:\n  varnish:\n${node("v1")}sites:\n  - name: a\n    addresses: [http://a]\n    caches:\n      varnish: [v1, v2]\n`,
      8,
      "sites.0.caches.varnish.1",
      /no varnish system called v2; systems.varnish has v1/,
    ],
    [
      "a host of two sites",
      "sites:\n  - { name: a, addresses: [http://x] }\n  - { name: b, addresses: [http://y, http://X] }\n",
      3,
      "sites.1.addresses.1",
      /belongs to the site a/,
    ],
    [
      "an address with a path",
      "sites:\n  - { name: a, addresses: [http://x/blog] }\n",
      2,
      "sites.0.addresses.0",
      /host and port only/,
    ],
    [
      "an unknown placeholder",
      "sites:\n  - name: a\n    addresses: [http://x]\n    expand:\n      - url: /api/{slug}\n",
      5,
      "sites.0.expand.0.url",
      /\{slug\} is not known/,
    ],
    [
      "a pattern that does not compile",
      "sites:\n  - name: a\n    addresses: [http://x]\n    ignore: ['(a']\n",
      4,
      "sites.0.ignore.0",
      /RE2/,
    ],
    [
      "a query of a kind that Prometheus is not asked about",
      "health:\n  queries:\n    cloudflare: { requests: 'x{$labels}' }\n",
      3,
      "health.queries.cloudflare",
      /not asked about this kind; there are traefik, varnish/,
    ],
    [
      "a query of a signal that there is not",
      "health:\n  queries:\n    varnish:\n      hits: 'x{$labels}'\n",
      4,
      "health.queries.varnish.hits",
      /varnish has no such signal; it has up, scraped, requests, hit_ratio/,
    ],
    [
      "a query with a placeholder that there is not",
      "health:\n  queries:\n    varnish:\n      offload: 'x{$labels}[$__interval]'\n",
      4,
      "health.queries.varnish.offload",
      /\$__interval is not known here/,
    ],
    [
      "a dashboard's variable of nothing",
      'systems:\n  grafana:\n    - { name: g, url: "http://g", dashboards: { varnish: { uid: a, vars: { x: "{host}" } } } }\n',
      3,
      "systems.grafana.0.dashboards.varnish.vars.x",
      /\{host\} is not known here/,
    ],
    [
      "a dashboard of no kind",
      'systems:\n  grafana:\n    - { name: g, url: "http://g", dashboards: { varnsh: { uid: a } } }\n',
      3,
      "systems.grafana.0.dashboards.varnsh",
      /no such kind/,
    ],
    ["a list instead of a map", "- server\n", 1, undefined, /./],
  ];
  test.each(cases)("%s", (_what, text, line, path, words) => {
    const [first] = problems(text);
    expect(first?.message).toMatch(words);
    expect(first?.line).toBe(line);
    expect(first?.path).toBe(path);
    expect(describeProblem(first ?? { message: "" }, "sluice.yaml")).toMatch(
      new RegExp(`^sluice\\.yaml:${line}:\\d+ `),
    );
  });

  test("all of them at once", () => {
    expect(
      problems("server:\n  uri: x\nhistory:\n  keep: soon\n")
        .map(({ line }) => line)
        .sort(),
    ).toEqual([2, 4]);
  });

  test("a document that unfolds without end", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x,x]",
      ...["b", "c", "d", "e", "f"].map(
        (name, index) => `${name}: &${name} [${`*${"abcdef"[index]},`.repeat(10)}]`,
      ),
    ];
    expect(problems(bomb.join("\n"))[0]?.message).toMatch(/alias/i);
  });

  test("without ever repeating a secret", () => {
    writeFileSync(join(folder, "secret"), "hunter2\n");
    const text =
      "systems:\n  cloudflare:\n    - name: c\n      token_file: secret\n      zone: ${ZONE}\n      plan: ${PLAN}\n";
    const said = JSON.stringify(problems(text, { ZONE: "hunter3", PLAN: "hunter4" }));
    expect(said).toContain("32 hexadecimal");
    expect(said).not.toMatch(/hunter/);
  });
});

describe("reload", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });
  const file = (): string => join(folder, "sluice.yaml");
  async function until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 8000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("waited in vain");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  function source(): { source: ConfigSource; told: () => number } {
    const made = new ConfigSource(file(), {});
    let count = 0;
    made.onChange(() => count++);
    stops.push(made.watch());
    return { source: made, told: () => count };
  }

  test("no file is all defaults; one that appears is read", async () => {
    const { source: made } = source();
    expect(made.state).toMatchObject({ file: null, error: null });
    writeFileSync(file(), "history: { keep: 1d }\n");
    await until(() => made.config.history.keep === 86_400_000);
    expect(made.state.file).toBe(file());
  });

  test("a bad file keeps the last good one, and says the line; mended, it is taken", async () => {
    writeFileSync(file(), "history: { keep: 1d }\n");
    const { source: made, told } = source();
    // As editors save: a new file over the old one.
    writeFileSync(join(folder, "new"), "history:\n  keep: 2 days\n");
    renameSync(join(folder, "new"), file());
    await until(() => made.state.error !== null);
    expect(made.state.error).toMatchObject({ line: 2, path: "history.keep" });
    expect(made.config.history.keep).toBe(86_400_000);
    expect(told()).toBe(1);
    writeFileSync(file(), "history: { keep: 3d }\n");
    await until(() => made.config.history.keep === 3 * 86_400_000);
    expect(made.state.error).toBeNull();
    rmSync(file());
    await until(() => made.state.error !== null);
    expect(made.state.error?.message).toMatch(/stays in force/);
    expect(made.config.history.keep).toBe(3 * 86_400_000);
  });

  test("a bad first file is all defaults, and is said", () => {
    writeFileSync(file(), "history: [\n");
    const { source: made } = source();
    expect(made.state.error?.line).toBeGreaterThan(0);
    expect(made.config).toEqual(configSchema.parse({}));
  });

  test("a secret's file that changes is read again", async () => {
    mkdirSync(join(folder, "secrets"));
    const secret = join(folder, "secrets", "token");
    writeFileSync(secret, "one\n");
    writeFileSync(file(), "gateway: { token_file: secrets/token }\n");
    const { source: made } = source();
    expect(made.config.gateway.token).toBe("one");
    writeFileSync(secret, "second\n");
    await until(() => made.config.gateway.token === "second");
  });
});
