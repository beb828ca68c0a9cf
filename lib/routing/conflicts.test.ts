// Conflicts between routers: what is told is so, by hand and by thousands of generated rules and requests.
import { describe, expect, test } from "vitest";
import { type Conflict, conflictsOf, type Ranked, tcpConflictsOf, udpShadowed } from "./conflicts";
import { type HttpRequest, httpPriority, httpRule, seenOf } from "./match";
import { fromBytes, throughEntryPoint, toBytes } from "./path";
import { routerFor } from "./routers";

/** The first one is asked first; those in one list are equal. */
const ranked = (...levels: (string | null | readonly (string | null)[])[]): Ranked[] =>
  levels.flatMap((level, index) =>
    (typeof level === "string" || level === null ? [level] : level).map((rule, at) => ({
      name: `${index}${"abc"[at]}`,
      rule,
      priority: BigInt(100 - index),
    })),
  );
const told = (...levels: Parameters<typeof ranked>): string[] =>
  conflictsOf(ranked(...levels)).map((one) =>
    one.kind === "shadowed"
      ? `${one.router} behind ${one.by.join("+")}`
      : one.kind === "never"
        ? `${one.router} never`
        : `${one.kind} ${one.router} ${one.other}: ${one.example.method} ${one.example.host}${one.example.path}`,
  );

describe("a router that is never reached", () => {
  test.each([
    ["PathPrefix(`/`)", "Host(`a.example`)"],
    ["Host(`A.example`)", "Host(`a.example.`) && PathPrefix(`/x`)", false],
    ["Host(`a.example.`)", "Host(`A.example`) && PathPrefix(`/x`)"],
    ["PathPrefix(`/x`)", "Host(`a.example`) && Path(`/xy`)"],
    ["Path(`/x`)", "PathPrefix(`/x`)", false],
    ["PathPrefix(`/x`)", "PathPrefix(`/xy/z`)"],
    ["PathPrefix(`/xy`)", "PathPrefix(`/x`)", false],
    ["PathRegexp(`^/x`)", "PathPrefix(`/xy`)"],
    ["PathRegexp(`^/x$`)", "Path(`/x`)"],
    ["PathRegexp(`^/x$`)", "PathPrefix(`/x`)", false],
    ["Host(`*.example`)", "Host(`a.example`)"],
    ["Host(`*.example`)", "Host(`a.b.example`)", false],
    ["Host(`*`)", "PathPrefix(`/x`)"],
    ["HostRegexp(`^.+$`)", "Host(`*.example`) && Path(`/`)"],
    ["HostRegexp(`^[ab]\\.example\\.?$`)", "Host(`b.example`)"],
    // "a.example." is the same host, and this expression does not match it.
    ["HostRegexp(`^a\\.example$`)", "Host(`a.example`)", false],
    ["Host(`a.example`) || Host(`b.example`)", "Host(`b.example`) && Method(`GET`)"],
    ["Host(`a.example`)", "Host(`a.example`) || Host(`b.example`)", false],
    ["Host(`a.example`) && Method(`get`)", "Method(`GET`) && Path(`/`) && Host(`a.example`)"],
    ["!Method(`GET`)", "Method(`POST`)"],
    ["!Host(`a.example`)", "Host(`b.example`)"],
    ["!Path(`/x/y`)", "!PathPrefix(`/x`)"],
    ["!PathPrefix(`/x`)", "PathPrefix(`/y`)"],
    ["!ClientIP(`10.0.0.0/8`)", "ClientIP(`192.0.2.0/24`)"],
    ["ClientIP(`10.0.0.0/8`)", "ClientIP(`10.1.0.0/16`)"],
    ["ClientIP(`10.1.0.0/16`)", "ClientIP(`10.0.0.0/8`)", false],
    // Go's networks of IPv6 hold no address of IPv4.
    ["ClientIP(`::/0`)", "ClientIP(`10.1.0.0/16`)", false],
    ["HeaderRegexp(`x-preview`, `^[0-9]$`)", "Header(`X-Preview`, `1`)"],
    // It may have both.
    ["!Header(`X-Preview`, `2`)", "Header(`X-Preview`, `1`)", false],
    ["QueryRegexp(`q`, `^a`)", "Query(`q`, `ab`)"],
    ["QueryRegexp(`q`, `^a`)", "Query(`Q`, `ab`)", false],
    ["Header(`A`, `1`)", "Query(`A`, `1`)", false],
  ])("%s before %s", (first, second, shadowed = true) => {
    expect(told(first, second)).toEqual(shadowed ? ["1a behind 0a"] : []);
  });

  test("by several, each of an alternative; by one that is shadowed itself; at another priority only", () => {
    expect(told("Host(`a.example`)", "Host(`b.example`)", "Host(`a.example`) || Host(`b.example`)")).toEqual([
      "2a behind 0a+1a",
    ]);
    expect(told("Path(`/`)", "Host(`a.example`) && Path(`/`)", "Host(`a.example`)")).toEqual([
      "1a behind 0a",
    ]);
    // As long as its rule, where none is given.
    const long = { name: "long", rule: "Host(`a.example`) && PathPrefix(`/x`)", priority: 0n };
    const short = { name: "short", rule: "Host(`a.example`)", priority: 0n };
    expect(conflictsOf([short, long])).toEqual([]);
    expect(conflictsOf([{ ...short, priority: 1000n }, long])).toEqual([
      { kind: "shadowed", router: "long", by: ["short"] },
    ]);
  });

  test("priorities beyond a double are not made equal", () => {
    expect(
      conflictsOf([
        { name: "api@internal", rule: "PathPrefix(`/api`)", priority: 9223372036854775806n },
        { name: "dashboard@internal", rule: "PathPrefix(`/`)", priority: 9223372036854775805n },
      ]),
    ).toEqual([]);
  });

  test("a rule that contradicts itself", () => {
    expect(told("Host(`a.example`) && Host(`b.example`)")).toEqual(["0a never"]);
    expect(told("Path(`/x`) && !PathPrefix(`/`)", "Method(`GET`) && Method(`POST`)")).toEqual([
      "0a never",
      "1a never",
    ]);
    expect(told("Header(`A`, `1`) && Header(`A`, `2`)")).toEqual([]);
  });
});

describe("routers of the same priority", () => {
  test("a tie is shown by a request, and only where no earlier router takes it", () => {
    expect(told(["Host(`a.example`)", "PathPrefix(`/x`)"])).toEqual(["tie 0a 0b: GET a.example/x"]);
    expect(told("PathPrefix(`/x`)", ["Host(`a.example`)", "PathPrefix(`/x/y`)"])).toEqual(["1b behind 0a"]);
    expect(told("Path(`/x`) || Path(`/x/any`)", ["Host(`a.example`)", "Path(`/x`)"])).toEqual([
      "1b behind 0a",
    ]);
    expect(told(["Host(`a.example`)", "Host(`b.example`)"])).toEqual([]);
    expect(told(["Host(`a.example`) && !Method(`GET`)", "HostRegexp(`^a\\.`)"])).toEqual([
      "tie 0a 0b: POST a.example/",
    ]);
  });
  test("the same said twice", () => {
    expect(
      told([
        "Host(`a.example`) && (Path(`/x`) || Path(`/y`))",
        "Path(`/y`) && Host(`A.example`) || Host(`a.example`) && Path(`/x`)",
      ]),
    ).toEqual(["duplicate 0a 0b: GET a.example/x"]);
  });
  test("nothing is said below a router that is not understood", () => {
    expect(told(null, ["Path(`/x`)", "Path(`/x`)"], "Path(`/x`)")).toEqual(["2a behind 1a"]);
    expect(told(["Path(`/x`)", "Path(`/x`)", null])).toHaveLength(1);
  });
});

/** Numbers that are the same in every run (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

test("generated: what is called shadowed wins no request, what is called a tie is one", () => {
  const roll = dice(20261127);
  const pick = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
  const of =
    (name: string, ...values: string[]) =>
    () =>
      `${name}(\`${pick(values)}\`)`;
  const matchers = [
    of("Host", "a.example", "b.example", "*.example", "A.Example.", "*.a.example", "www.a.example", "*"),
    of("Host", "a.example", "b.example"),
    of("HostRegexp", "^[ab]\\.example", "^.+$", "example", "^www\\."),
    of("Path", "/", "/x", "/x/y", "/X", "/caf\u00e9", "/x%2Fy"),
    of("PathPrefix", "/", "/x", "/x/", "/x/y", "/y", "/caf"),
    of("PathRegexp", "^/x", "^/x/y$", "y$", ".*"),
    of("Method", "GET", "post"),
    () => `Header(\`${pick(["X-A", "x-a"])}\`, \`${pick(["1", "2"])}\`)`,
    () => `HeaderRegexp(\`X-A\`, \`${pick(["^1", "[0-9]", "2"])}\`)`,
    () => `Query(\`${pick(["q", "Q"])}\`, \`${pick(["1", "2"])}\`)`,
    () => `QueryRegexp(\`q\`, \`${pick(["^1", "[0-9]", "2"])}\`)`,
    of("ClientIP", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0"),
  ];
  const rule = (depth: number): string =>
    depth === 0
      ? `${pick(["", "", "", "!"])}${pick(matchers)()}`
      : `${pick(["", "", "", "!"])}(${rule(depth - 1)} ${pick(["&&", "&&", "||"])} ${rule(depth - 1)})`;

  const requests: HttpRequest[] = [];
  const hosts = ["a.example", "b.example", "A.Example.:80", "www.a.example", "x.y", "example", "b.example.."];
  const paths = ["/", "/x", "/x/", "/x/y", "/xy", "/y", "/X", "/caf%C3%A9", "/x%2fy", "/z"];
  const several: Record<string, string[]>[] = [{}, { "x-a": ["1"] }, { "X-A": ["2", "1"] }, { "X-A": ["3"] }];
  for (const host of hosts)
    for (const path of paths)
      for (const method of ["GET", "POST", "PUT"])
        for (const headers of several)
          for (const query of ["", "q=1", "q=2&q=1", "Q=2"])
            requests.push({
              method,
              host,
              path: fromBytes(throughEntryPoint(toBytes(path)) ?? ""),
              query,
              headers,
              remoteAddr: pick(["10.1.2.3:1", "10.1.9.9:1", "10.2.0.1:1", "192.0.2.1:1", "[::1]:1"]),
            });
  const seen = requests.map((request) => ({ request, seen: seenOf(request) }));

  const found: Record<Conflict["kind"], number> = { shadowed: 0, never: 0, duplicate: 0, tie: 0 };
  let matched = 0;
  for (let round = 0; round < 150; round += 1) {
    const rules = Array.from({ length: 9 }, () => rule(pick([0, 0, 1, 1, 2])));
    const routers = Array.from({ length: 10 }, (_, index) => ({
      name: `r${index}`,
      rule: pick(rules),
      priority: roll(3) === 0 ? 0 : 1 + roll(4),
      provider: "file",
    }));
    const conflicts = conflictsOf(routers.map((one) => ({ ...one, priority: BigInt(one.priority) })));
    for (const one of conflicts) {
      found[one.kind] += 1;
      const words = JSON.stringify([one, routers]);
      if (one.kind === "tie" || one.kind === "duplicate") {
        const path = fromBytes(throughEntryPoint(toBytes(one.example.path)) ?? "");
        const { winner, ties } = routerFor(routers, { ...one.example, path });
        const names = [winner?.name, ...ties.map(({ name }) => name)];
        expect(names, words).toEqual(expect.arrayContaining([one.router, one.other]));
      }
      const self = routers.find(({ name }) => name === one.router);
      if (self === undefined) throw new Error(`there is no ${one.router}`);
      const takes = httpRule(self.rule);
      const mine = seen.filter((each) => takes(each.seen));
      if (one.kind === "never") expect(mine, words).toEqual([]);
      if (one.kind === "duplicate") {
        const other = httpRule(routers.find(({ name }) => name === one.other)?.rule ?? "");
        expect(
          seen.filter((each) => takes(each.seen) !== other(each.seen)),
          words,
        ).toEqual([]);
      }
      if (one.kind !== "shadowed") continue;
      matched += mine.length;
      const rank = (each: (typeof routers)[number]) => each.priority || httpPriority(each.rule);
      const before = routers.filter((each) => rank(each) > rank(self)).map((each) => httpRule(each.rule));
      expect(
        mine.find((each) => !before.some((earlier) => earlier(each.seen))),
        words,
      ).toBeUndefined();
      for (let count = 0; count < Math.min(5, mine.length); count += 1) {
        const { winner, ties } = routerFor(routers, pick(mine).request);
        expect(
          [winner, ...ties].map((each) => each?.name),
          words,
        ).not.toContain(one.router);
      }
    }
  }
  // It has something to say, of requests that there are.
  expect(found.shadowed).toBeGreaterThan(100);
  expect(found.tie).toBeGreaterThan(50);
  expect(found.never).toBeGreaterThan(20);
  expect(found.duplicate).toBeGreaterThan(20);
  expect(matched).toBeGreaterThan(1000);
}, 60_000);

test("a thousand routers are judged while somebody waits", () => {
  const routers = Array.from({ length: 1000 }, (_, index) => ({
    name: `r${index}`,
    rule: `Host(\`h${index % 100}.example\`) && PathPrefix(\`/${"x".repeat(index % 7)}\`)`,
    priority: 0n,
  }));
  const begun = performance.now();
  const found = conflictsOf([...routers, { name: "all", rule: "PathPrefix(`/`)", priority: 40n }]);
  expect(performance.now() - begun).toBeLessThan(4000);
  expect(found.filter(({ kind }) => kind === "duplicate").length).toBeGreaterThan(100);
  expect(found.filter(({ kind }) => kind === "shadowed").length).toBeGreaterThan(100);
});

describe("TCP before HTTP, and HTTP before TCP", () => {
  const tcp = (rule: string, tls: boolean, priority = 0n) => ({ name: "t", rule, tls, priority });
  const http = (rule: string, tls: boolean, enabled = true) => ({ name: "h", rule, tls, enabled });

  test("without TLS, TCP comes first", () => {
    const first = { kind: "tcpFirst", router: "t", over: ["h"] };
    const page = http("Host(`a.example`)", false);
    expect(tcpConflictsOf([tcp("HostSNI(`*`)", false)], [page])).toEqual([{ ...first, all: true }]);
    expect(tcpConflictsOf([tcp("ClientIP(`10.0.0.0/8`)", false)], [page])).toEqual([
      { ...first, all: false },
    ]);
    expect(tcpConflictsOf([tcp("HostSNI(`*`) && !ClientIP(`10.0.0.0/8`)", false)], [page])).toEqual([
      { ...first, all: false },
    ]);
    // Nobody says a name or a protocol without TLS.
    expect(tcpConflictsOf([tcp("HostSNIRegexp(`^.+$`)", false)], [page])).toEqual([]);
    expect(tcpConflictsOf([tcp("ALPN(`h2`) && ClientIP(`10.0.0.0/8`)", false)], [page])).toEqual([]);
    expect(tcpConflictsOf([tcp("HostSNI(`*`)", false)], [http("Host(`a.example`)", true)])).toEqual([]);
    expect(tcpConflictsOf([tcp("HostSNI(`*`)", true)], [page])).toEqual([]);
  });

  test("with TLS, the hosts of HTTP routers come before server names, these before HTTP without hosts", () => {
    const page = http("Host(`A.example`) && Path(`/x`)", true);
    const open = { ...http("PathPrefix(`/`)", true), name: "open" };
    const named = tcp("HostSNI(`a.example`)", true);
    expect(tcpConflictsOf([named], [page])).toEqual([
      { kind: "httpFirst", router: "t", by: ["h"], names: ["a.example"], all: true },
    ]);
    // Also that of one that is switched off.
    expect(tcpConflictsOf([named], [{ ...page, enabled: false }])).toHaveLength(1);
    expect(tcpConflictsOf([tcp("HostSNI(`b.example`)", true)], [page])).toEqual([]);
    expect(tcpConflictsOf([tcp("HostSNI(`b.example`)", true)], [open])).toEqual([
      { kind: "tcpFirst", router: "t", over: ["open"], all: false },
    ]);
    expect(tcpConflictsOf([tcp("HostSNI(`a.example`) || HostSNI(`b.example`)", true)], [page, open])).toEqual(
      [
        { kind: "httpFirst", router: "t", by: ["h"], names: ["a.example"], all: false },
        { kind: "tcpFirst", router: "t", over: ["open"], all: false },
      ],
    );
    expect(tcpConflictsOf([named], [http("Host(`*.example`)", true)])).toHaveLength(1);
    expect(tcpConflictsOf([tcp("HostSNI(`*.example`)", true)], [page])).toEqual([]);
  });

  test("HostSNI(`*`) alone comes last; asked first by its priority, it hands over to HTTP", () => {
    const open = { ...http("PathPrefix(`/`)", true), name: "open" };
    expect(tcpConflictsOf([tcp("HostSNI(`*`)", true)], [open])).toEqual([
      { kind: "httpFirst", router: "t", by: ["open"], names: ["*"], all: true },
    ]);
    expect(tcpConflictsOf([tcp("HostSNI(`*`)", true)], [http("Host(`a.example`)", true)])).toEqual([]);
    const high = { ...tcp("HostSNI(`*`)", true, 500n), name: "high" };
    expect(
      tcpConflictsOf([high, tcp("HostSNI(`b.example`)", true)], [open]).map(({ router }) => router),
    ).toEqual(["high"]);
  });

  test("of UDP routers the last by name is taken", () => {
    expect(udpShadowed(["a@file", "c@file", "b@file"])).toEqual([
      { router: "b@file", by: ["c@file"] },
      { router: "a@file", by: ["c@file"] },
    ]);
    expect(udpShadowed(["a@file"])).toEqual([]);
    expect(udpShadowed([])).toEqual([]);
  });
});
