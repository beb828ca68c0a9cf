// Which router takes a request, for many requests: rules are read once, and only those are asked that may match the host.
import { RuleError, type Tree } from "../expression";
import { httpParts, httpTree, type Seen } from "../match";

/** A router that takes requests, at one entry point. */
export type Laned = {
  /** Null: its words are not understood here. */
  readonly rule: string | null;
  /** The one in force. */
  readonly priority: bigint;
  readonly name: string;
  readonly point: string;
  readonly tls: boolean;
};
/** Null: that cannot be told. */
type Test = (seen: Seen, headersKnown: boolean) => boolean | null;
type Rule = {
  readonly test: Test;
  /** Hosts without which it matches nothing, without a last dot; null where it needs none. */
  readonly hosts: ReadonlySet<string> | null;
  /** The matchers in it. */
  readonly asks: ReadonlySet<string>;
};
type Ranked<R> = { readonly router: R; readonly rule: Rule };

/** What is read of a rule; null where Traefik refuses it. */
export function read<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof RuleError) return null;
    throw error;
  }
}

const withoutDot = (host: string): string => (host.endsWith(".") ? host.slice(0, -1) : host);

function hostsOf(tree: Tree): string[] | null {
  if (!("left" in tree)) {
    const [host = ""] = tree.value;
    const one = tree.matcher === "Host" && !tree.not && !host.startsWith("*");
    return one ? [withoutDot(host.toLowerCase())] : null;
  }
  const [left, right] = [hostsOf(tree.left), hostsOf(tree.right)];
  if (tree.matcher === "or") return left === null || right === null ? null : [...left, ...right];
  return left ?? right;
}

/** A request is put to the routers of before and to those of after, one behind the other: most rules are the same. */
function onceEach(test: Test): Test {
  let last: { readonly seen: Seen; readonly headersKnown: boolean; readonly holds: boolean | null } | null =
    null;
  return (seen, headersKnown) => {
    if (last?.seen !== seen || last.headersKnown !== headersKnown)
      last = { seen, headersKnown, holds: test(seen, headersKnown) };
    return last.holds;
  };
}

function ruleOf(text: string): Rule {
  const parts = httpParts(text);
  const asks = new Set<string>();
  let at = 0;
  const build = (tree: Tree): Test => {
    if ("left" in tree) {
      const left = build(tree.left);
      const right = build(tree.right);
      const decides = tree.matcher === "or";
      return (seen, headersKnown) => {
        const one = left(seen, headersKnown);
        if (one === decides) return decides;
        const other = right(seen, headersKnown);
        return other === decides ? decides : one === null || other === null ? null : !decides;
      };
    }
    const said = parts[at]?.test ?? (() => false);
    at += 1;
    asks.add(tree.matcher);
    const ofHeaders = tree.matcher === "Header" || tree.matcher === "HeaderRegexp";
    return ofHeaders ? (seen, headersKnown) => (headersKnown ? said(seen) : null) : (seen) => said(seen);
  };
  const tree = httpTree(text);
  const hosts = hostsOf(tree);
  return { test: onceEach(build(tree)), hosts: hosts === null ? null : new Set(hosts), asks };
}

const untold: Rule = { test: () => null, hosts: null, asks: new Set() };

/** Rules that were read already, for several sets of routers. */
export class Rules {
  readonly #read = new Map<string, Rule>();

  /** Null for what is no rule: Traefik does not serve it. */
  of(text: string | null): Rule | null {
    if (text === null) return untold;
    const rule = this.#read.get(text) ?? read(() => ruleOf(text));
    if (rule !== null) this.#read.set(text, rule);
    return rule;
  }

  /** All matchers of the rules that were read. */
  asked(): ReadonlySet<string> {
    return new Set([...this.#read.values()].flatMap(({ asks }) => [...asks]));
  }
}

/** Routers with TLS, or those without, of one entry point. */
class Lane<R extends Laned> {
  readonly #hosts: ReadonlySet<string>;
  readonly #byHost = new Map<string, readonly Ranked<R>[]>();
  constructor(private readonly ranked: readonly Ranked<R>[]) {
    this.#hosts = new Set(ranked.flatMap(({ rule }) => [...(rule.hosts ?? [])]));
  }

  /** Those that may match a host, from the highest priority down. */
  of(host: string): readonly Ranked<R>[] {
    const plain = withoutDot(host);
    // Of hosts that no rule names, which may be many, one list is kept.
    const key = this.#hosts.has(plain) ? plain : "";
    const kept = this.#byHost.get(key);
    if (kept !== undefined) return kept;
    const some = this.ranked.filter(({ rule }) => rule.hosts?.has(key) ?? true);
    this.#byHost.set(key, some);
    return some;
  }
}

/** What is known of a request beside what is seen of it. */
export type Told = {
  /** False: rules that ask for headers cannot be answered. */
  readonly headersKnown: boolean;
  /** The rule by which it was taken once, and those that were asked before that one and do not match. */
  readonly taken?: string | null;
  readonly missed?: ReadonlySet<string | null>;
};

/** Routers that take requests, by entry point. Of equals, which Traefik takes as it likes, the first by name. */
export class Lanes<R extends Laned> {
  readonly #lanes = new Map<string, Lane<R>>();
  constructor(routers: readonly R[], rules: Rules) {
    const all = new Map<string, Ranked<R>[]>();
    for (const router of routers) {
      const rule = rules.of(router.rule);
      if (rule === null) continue;
      const key = `${router.tls} ${router.point}`;
      const lane = all.get(key) ?? [];
      all.set(key, lane);
      lane.push({ router, rule });
    }
    for (const [key, ranked] of all)
      this.#lanes.set(
        key,
        new Lane(
          ranked.sort(({ router: a }, { router: b }) =>
            a.priority === b.priority ? (a.name < b.name ? -1 : 1) : a.priority > b.priority ? -1 : 1,
          ),
        ),
      );
  }

  /** Who takes a request; null for nobody, "untold" where that hangs on what is not known. */
  take(point: string, tls: boolean, seen: Seen, told: Told): R | null | "untold" {
    for (const { router, rule } of this.#lanes.get(`${tls} ${point}`)?.of(seen.host) ?? []) {
      const holds = rule.test(seen, told.headersKnown) ?? known(router.rule, told);
      if (holds === null) return "untold";
      if (holds) return router;
    }
    return null;
  }

  /** What is told of a request by the router that took it: its rule, and those before it. Null where that router is not there. */
  toldBy(name: string, point: string, tls: boolean, seen: Seen): Told | null {
    const missed = new Set<string | null>();
    for (const { router } of this.#lanes.get(`${tls} ${point}`)?.of(seen.host) ?? []) {
      if (router.name === name) return { headersKnown: false, taken: router.rule, missed };
      missed.add(router.rule);
    }
    return null;
  }
}

const known = (rule: string | null, { taken, missed }: Told): boolean | null => {
  if (rule === null) return null;
  return rule === taken ? true : missed?.has(rule) ? false : null;
};
