// What zod cannot see in sluice.yaml: names that must be unique or must exist, and patterns that must compile.
import { RE2JS } from "re2js";
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

function* known(
  config: Config,
  kind: "redis" | "nginx" | "varnish" | "cloudflare",
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
