// What zod cannot see in sluice.yaml: names that must be unique or must exist, and patterns that must compile.
import { RE2JS } from "re2js";
import { faultOf, signalNames } from "../health/queries";
import { templateProblem } from "../notify/template";
import { unknownVariables } from "../systems/grafana/links";
import { systemKinds } from "../systems/registry";
import type { Config } from "./schema";

type Finding = { readonly path: readonly PropertyKey[]; readonly message: string };

/** Placeholders an expansion rule may use. */
const placeholders = new Set(["{path}", "{path|encoded}", "{locale}"]);

/** Every finding, in the file's order; none when all is well. */
export function* crossReferences(config: Config): Generator<Finding> {
  for (const [kind, systems] of Object.entries(config.systems)) {
    yield* unique(systems, ["systems", kind], `another ${kind} system`);
  }
  yield* unique(config.sites, ["sites"], "another site");
  yield* unique(config.auth.oidc, ["auth", "oidc"], "another provider");

  yield* unique(config.notify.channels, ["notify", "channels"], "another channel");
  yield* unique(config.tickets, ["tickets"], "another tracker");
  // Both are told of incidents, and what became of it is kept by name.
  for (const [index, { name }] of config.tickets.entries())
    if (config.notify.channels.some((channel) => channel.name === name))
      yield {
        path: ["tickets", index, "name"],
        message: `a channel of notify is called ${name}: names are unique.`,
      };
  for (const [index, channel] of config.notify.channels.entries()) {
    const path = ["notify", "channels", index];
    if (channel.type === "email") yield* known(config, "smtp", channel.smtp, [...path, "smtp"]);
    if (channel.type === "webhook") {
      const message = templateProblem(channel.template);
      if (message !== null) yield { path: [...path, "template"], message };
    }
  }
  for (const [index, rule] of config.notify.rules.entries())
    for (const [at, to] of rule.to.entries())
      if (!config.notify.channels.some(({ name }) => name === to))
        yield {
          path: ["notify", "rules", index, "to", at],
          message: `there is no channel called ${to}.`,
        };

  for (const [kind, systems] of Object.entries(config.systems)) {
    for (const [index, system] of systems.entries()) {
      for (const [at, ref] of system.depends_on.entries())
        yield* dependency(config, `${kind}/${system.name}`, ref, ["systems", kind, index, "depends_on", at]);
    }
  }

  for (const [index, { directory, provider_token }] of config.systems.traefik.entries())
    if (directory !== undefined && provider_token !== undefined)
      yield {
        path: ["systems", "traefik", index, "provider_token"],
        message: "its files are in directory already: leave one of the two out.",
      };

  for (const [index, { admin_listen }] of config.systems.varnish.entries())
    if (
      admin_listen !== undefined &&
      config.systems.varnish.findIndex((one) => one.admin_listen === admin_listen) < index
    )
      yield {
        path: ["systems", "varnish", index, "admin_listen"],
        message: "another Varnish dials in there: each needs a port of its own.",
      };

  for (const [index, { expect_body }] of config.systems.http.entries())
    if (expect_body !== undefined) yield* pattern(expect_body, ["systems", "http", index, "expect_body"]);

  yield* signalQueries(config);
  yield* dashboards(config);

  const hosts = new Map<string, string>();
  for (const [index, site] of config.sites.entries()) {
    const path = ["sites", index];
    for (const [at, address] of site.addresses.entries()) {
      const url = new URL(address);
      if (url.pathname !== "/" || url.search !== "" || url.username !== "" || url.password !== "") {
        yield {
          path: [...path, "addresses", at],
          message: "write scheme, host and port only, such as https://www.example.org.",
        };
      }
      const owner = hosts.get(url.host);
      // The same host by http and by https is one site's; the same address twice is a slip.
      const twice = site.addresses.indexOf(address) < at;
      if (twice || (owner !== undefined && owner !== site.name)) {
        yield {
          path: [...path, "addresses", at],
          message: `${url.host} already belongs to the site ${owner}.`,
        };
      }
      hosts.set(url.host, owner ?? site.name);
    }

    const { caches } = site;
    for (const [at, { system }] of caches.redis.entries()) {
      yield* known(config, "redis", system, [...path, "caches", "redis", at, "system"]);
    }
    for (const [at, system] of caches.nginx.entries())
      yield* known(config, "nginx", system, [...path, "caches", "nginx", at]);
    for (const [at, system] of caches.varnish.entries()) {
      yield* known(config, "varnish", system, [...path, "caches", "varnish", at]);
    }
    if (caches.cloudflare !== undefined) {
      yield* known(config, "cloudflare", caches.cloudflare, [...path, "caches", "cloudflare"]);
    }

    for (const [at, rule] of site.expand.entries()) {
      for (const [placeholder] of rule.url.matchAll(/\{[^}]*\}/g)) {
        if (placeholders.has(placeholder)) continue;
        const message = `${placeholder} is not known here; there are ${[...placeholders].join(", ")}.`;
        yield { path: [...path, "expand", at, "url"], message };
      }
      if (rule.when !== undefined) yield* pattern(rule.when, [...path, "expand", at, "when"]);
    }
    for (const [at, name] of site.strip_query.entries()) yield* pattern(name, [...path, "strip_query", at]);
    for (const [at, part] of site.ignore.entries()) yield* pattern(part, [...path, "ignore", at]);
  }
}

function* unique(
  named: readonly { readonly name: string }[],
  path: readonly PropertyKey[],
  what: string,
): Generator<Finding> {
  const seen = new Set<string>();
  for (const [index, { name }] of named.entries()) {
    if (seen.has(name))
      yield { path: [...path, index, "name"], message: `${what} is called ${name}: names are unique.` };
    seen.add(name);
  }
}

/** A system of that name exists, is the only one, and is not the one itself. */
function* dependency(
  config: Config,
  own: string,
  ref: string,
  path: readonly PropertyKey[],
): Generator<Finding> {
  const found = systemsCalled(config, ref);
  if (found.length === 1 && found[0] !== own) return;
  const message =
    found.length === 0
      ? `there is no system called ${ref}.`
      : found.length > 1
        ? `${found.join(" and ")} have that name: write one of them.`
        : "a system does not depend on itself.";
  yield { path, message };
}

/** Keys (kind/name) of the systems that a reference such as "redis" or "redis/cache" may mean. */
export function systemsCalled(config: Config, ref: string): string[] {
  return Object.entries(config.systems)
    .flatMap(([kind, systems]) => systems.map(({ name }) => ({ key: `${kind}/${name}`, name })))
    .filter(({ key, name }) => (ref.includes("/") ? key === ref : name === ref))
    .map(({ key }) => key);
}

function* known(
  config: Config,
  kind: "redis" | "nginx" | "varnish" | "cloudflare" | "smtp",
  name: string,
  path: readonly PropertyKey[],
): Generator<Finding> {
  const names = config.systems[kind].map((system) => system.name);
  if (names.includes(name)) return;
  const there = names.length === 0 ? `systems.${kind} is empty` : `systems.${kind} has ${names.join(", ")}`;
  yield { path, message: `there is no ${kind} system called ${name}; ${there}.` };
}

function* pattern(source: string, path: readonly PropertyKey[]): Generator<Finding> {
  try {
    RE2JS.compile(source);
  } catch (error) {
    yield {
      path,
      message: `is not an RE2 pattern: ${error instanceof Error ? error.message : String(error)}.`,
    };
  }
}

function* signalQueries({ health }: Config): Generator<Finding> {
  for (const [kind, signals] of Object.entries(health.queries)) {
    const path = ["health", "queries", kind];
    const names = signalNames(kind);
    if (names === null) {
      const there = systemKinds.map((one) => one.kind).filter((one) => signalNames(one) !== null);
      yield { path, message: `Prometheus is not asked about this kind; there are ${there.join(", ")}.` };
      continue;
    }
    for (const [signal, promql] of Object.entries(signals)) {
      const fault = names.includes(signal)
        ? faultOf(promql)
        : `${kind} has no such signal; it has ${names.join(", ")}.`;
      if (fault !== null) yield { path: [...path, signal], message: fault };
    }
  }
}

function* dashboards({ systems }: Config): Generator<Finding> {
  for (const [index, grafana] of systems.grafana.entries()) {
    for (const [kind, { vars }] of Object.entries(grafana.dashboards)) {
      const path = ["systems", "grafana", index, "dashboards", kind];
      if (kind !== "site" && !systemKinds.some((one) => one.kind === kind))
        yield { path, message: "there is no such kind of component." };
      for (const [name, template] of Object.entries(vars))
        for (const unknown of unknownVariables(template))
          yield {
            path: [...path, "vars", name],
            message: `${unknown} is not known here; there are {kind}, {name} and {labels.<label>}.`,
          };
    }
  }
}
