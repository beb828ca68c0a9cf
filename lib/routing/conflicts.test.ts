// Conflicts between routers: what is told is so, by hand and by thousands of generated rules and requests.
import { describe, expect, test } from "vitest";
import { type Conflict, conflictsOf, Effort, type Ranked, tcpConflictsOf, udpShadowed } from "./conflicts";
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
const told = async (...levels: Parameters<typeof ranked>): Promise<string[]> =>
  (await conflictsOf(ranked(...levels))).map((one) =>
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
  ])("%s before %s", async (first, second, shadowed = true) => {
    expect(await told(first, second)).toEqual(shadowed ? ["1a behind 0a"] : []);
  });

  test("by several, each of an alternative; by one that is shadowed itself; at another priority only", async () => {
    expect(
      await told("Host(`a.example`)", "Host(`b.example`)", "Host(`a.example`) || Host(`b.example`)"),
    ).toEqual(["2a behind 0a+1a"]);
    expect(await told("Path(`/`)", "Host(`a.example`) && Path(`/`)", "Host(`a.example`)")).toEqual([
      "1a behind 0a",
    ]);
    // As long as its rule, where none is given.
    const long = { name: "long", rule: "Host(`a.example`) && PathPrefix(`/x`)", priority: 0n };
    const short = { name: "short", rule: "Host(`a.example`)", priority: 0n };
    expect(await conflictsOf([short, long])).toEqual([]);
    expect(await conflictsOf([{ ...short, priority: 1000n }, long])).toEqual([
      { kind: "shadowed", router: "long", by: ["short"] },
    ]);
  });

  test("priorities beyond a double are not made equal", async () => {
    expect(
      await conflictsOf([
        { name: "api@internal", rule: "PathPrefix(`/api`)", priority: 9223372036854775806n },
        { name: "dashboard@internal", rule: "PathPrefix(`/`)", priority: 9223372036854775805n },
      ]),
    ).toEqual([]);
  });

  test("a rule that contradicts itself", async () => {
    expect(await told("Host(`a.example`) && Host(`b.example`)")).toEqual(["0a never"]);
    expect(await told("Path(`/x`) && !PathPrefix(`/`)", "Method(`GET`) && Method(`POST`)")).toEqual([
      "0a never",
      "1a never",
    ]);
    expect(await told("Header(`A`, `1`) && Header(`A`, `2`)")).toEqual([]);
  });
});

describe("routers of the same priority", () => {
  test("a tie is shown by a request, and only where no earlier router takes it", async () => {
    expect(await told(["Host(`a.example`)", "PathPrefix(`/x`)"])).toEqual(["tie 0a 0b: GET a.example/x"]);
    expect(await told("PathPrefix(`/x`)", ["Host(`a.example`)", "PathPrefix(`/x/y`)"])).toEqual([
      "1b behind 0a",
    ]);
    expect(await told("Path(`/x`) || Path(`/x/any`)", ["Host(`a.example`)", "Path(`/x`)"])).toEqual([
      "1b behind 0a",
    ]);
    expect(await told(["Host(`a.example`)", "Host(`b.example`)"])).toEqual([]);
    expect(await told(["Host(`a.example`) && !Method(`GET`)", "HostRegexp(`^a\\.`)"])).toEqual([
      "tie 0a 0b: POST a.example/",
    ]);
  });
  test("the same said twice", async () => {
    expect(
      await told([
        "Host(`a.example`) && (Path(`/x`) || Path(`/y`))",
        "Path(`/y`) && Host(`A.example`) || Host(`a.example`) && Path(`/x`)",
      ]),
    ).toEqual(["duplicate 0a 0b: GET a.example/x"]);
  });
  test("nothing is said below a router that is not understood", async () => {
    expect(await told(null, ["Path(`/x`)", "Path(`/x`)"], "Path(`/x`)")).toEqual(["2a behind 1a"]);
    expect(await told(["Path(`/x`)", "Path(`/x`)", null])).toHaveLength(1);
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

test("generated: what is called shadowed wins no request, what is called a tie is one", async () => {
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
      priority: BigInt(roll(3) === 0 ? 0 : 1 + roll(4)),
      provider: "file",
    }));
    for (const one of await conflictsOf(routers)) {
      found[one.kind] += 1;
      const words = JSON.stringify([one, routers], (_, value) =>
        typeof value === "bigint" ? String(value) : value,
      );
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
      const rank = (each: (typeof routers)[number]) => each.priority || BigInt(httpPriority(each.rule));
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

describe("many routers", () => {
  const many = (count: number, rule: (number: string) => string, priority = (_: number) => 0n): Ranked[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `r${index}`,
      rule: rule(String(index).padStart(5, "0")),
      priority: priority(index),
    }));
  const judged = async (routers: readonly Ranked[]) => {
    const effort = new Effort();
    return { found: await conflictsOf(routers, effort), effort };
  };

  test("of many hosts are all looked at", async () => {
    const routers = many(800, (number) => `Host(\`h${Number(number) % 100}.example\`)`).map((one, index) => ({
      ...one,
      rule: `${one.rule} && PathPrefix(\`/${"x".repeat(index % 7)}\`)`,
    }));
    const all = { name: "all", rule: "PathPrefix(`/`)", priority: 40n };
    const { found, effort } = await judged([...routers, all]);
    expect(found.filter(({ kind }) => kind === "duplicate").length).toBeGreaterThan(50);
    expect(found.filter(({ kind }) => kind === "shadowed").length).toBeGreaterThan(100);
    expect(effort.isSpent).toBe(false);
  });

  test.each([
    ["hosts", 10_000, (number: string) => `Host(\`h${number}.example\`)`],
    ["paths of one host", 1500, (number: string) => `Host(\`a.example\`) && PathPrefix(\`/p${number}\`)`],
    ["patterns of hosts", 250, (number: string) => `HostRegexp(\`^(?:.+\\.)?app${number}\\.example$\`)`],
    // A request with two values of one name is nobody's.
    ["tenants", 600, (number: string) => `Host(\`a.example\`) && Header(\`X-Tenant\`, \`${number}\`)`],
    ["questions", 600, (number: string) => `Host(\`a.example\`) && Query(\`tenant\`, \`${number}\`)`],
  ])("of as many %s as %d nothing is told, and all are looked at", async (_, count, rule) => {
    const { found, effort } = await judged(many(count, rule));
    expect(found).toEqual([]);
    expect(effort.isSpent).toBe(false);
  });

  test("at as many priorities they are all looked at", async () => {
    const rule = (number: string) => `Host(\`a.example\`) && PathPrefix(\`/p${number}\`)`;
    const { found, effort } = await judged(many(2000, rule, (index) => BigInt(index + 1)));
    expect(found).toEqual([]);
    expect(effort.isSpent).toBe(false);
  });

  test.each([
    ["patterns", (number: string) => `HostRegexp(\`^(?:.+\\.)?app${number}\\.example$\`)`, 1000],
    ["rules that all tie", (number: string) => `HeaderRegexp(\`X-${number}\`, \`.+\`)`, 2000],
  ])("of too many %s some are not looked at, and that is known", async (_, rule, count) => {
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    }, 1);
    const { found, effort } = await judged(many(count, rule));
    clearInterval(others);
    expect(effort.isSpent).toBe(true);
    expect(effort.steps).toBeLessThan(8_000_000);
    expect(found.length).toBeLessThanOrEqual(200);
    expect(turns).toBeGreaterThan(0);
  });

  test("values of one name that are written otherwise are no tie, those of two names are one", async () => {
    expect(await told(["Header(`X-A`, `1`)", "Header(`x-a`, `2`)"])).toEqual([]);
    expect(await told(["Header(`X-A`, `1`)", "HeaderRegexp(`X-A`, `^[0-9]$`)"])).toHaveLength(1);
    expect(await told(["Query(`q`, `1`)", "Query(`Q`, `2`)"])).toHaveLength(1);
  });

  test("rules that are long or deep are read, or refused, as others are", async () => {
    const ors = Array.from({ length: 20_000 }, (_, index) => `Host(\`h${index}\`)`).join(" || ");
    const ands = Array.from({ length: 10_000 }, (_, index) => `!Host(\`h${index}\`)`).join(" && ");
    const request = { method: "GET", host: "h19999", path: "/", query: "", headers: {}, remoteAddr: "" };
    const router = (name: string, rule: string) => ({ name, rule, priority: 0n, provider: "docker" });
    const deep = ["!", "("].map((sign) => router(sign, `${sign.repeat(20_000)}Host(\`h19999\`)`));
    const { winner, candidates } = routerFor([router("ors", ors), router("ands", ands), ...deep], request);
    expect(winner?.name).toBe("ors");
    expect(candidates.filter(({ state }) => state === "broken")).toHaveLength(2);
    const { effort } = await judged([router("ors", ors), router("ands", ands), ...deep]);
    expect(effort.steps).toBeLessThan(1_000_000);
  });
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
