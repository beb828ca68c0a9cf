// The same rules and requests through a real Traefik and through ours: each is taken by the same router.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, testStack, until } from "../systems/test-stack";
import { entryPoints, httpRouters } from "../systems/traefik/routers";
import type { HttpRequest } from "./match";
import { fromBytes, throughEntryPoint, toBytes } from "./path";
import { type Router, routerFor } from "./routers";

const exec = promisify(execFile);
const stack = testStack();
const docker = (...args: string[]) => exec("docker", args, { timeout: 60_000 });

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
const roll = dice(20261126);
const pick = <T>(all: readonly T[]): T => all[roll(all.length)] as T;

const hosts = ["a.example", "b.example", "www.a.example", "a.example.", "A.Example", "x.y.a.example"];
const paths = [
  "/",
  "/a",
  "/a/",
  "/a/b",
  "/a%2Fb",
  "/a%2fb",
  "/a/../b",
  "/a/%2E%2E/b",
  "//a",
  "/a b".replace(" ", "%20"),
  "/%61",
  "/a;b",
  "/a{b}",
  "/caf%C3%A9",
  "/products-for-sale",
  "/a+b",
  "/a%2Bb",
];
const values = ["1", "two", "TWO", ""];
const matcher = (): string => {
  const made: (() => string)[] = [
    () => `Host(\`${pick(["a.example", "b.example", "*.a.example", "A.EXAMPLE", "b.example."])}\`)`,
    () => `HostRegexp(\`${pick(["^[ab]\\.example$", "example", "^www\\.", "(?i)^A\\."])}\`)`,
    () => `Path(\`${pick(["/", "/a", "/a/", "/a b", "/b", "/a%2Fb", "/café", "/a{b}"])}\`)`,
    () => `PathPrefix(\`${pick(["/", "/a", "/products", "/a%2F", "/caf"])}\`)`,
    () => `PathRegexp(\`${pick(["^/a/?$", "b$", "^/[a-c]+$", "%2F", "é"])}\`)`,
    () => `Method(\`${pick(["GET", "post"])}\`)`,
    () => `Header(\`${pick(["X-Preview", "x-preview"])}\`, \`${pick(["1", "two"])}\`)`,
    () => `HeaderRegexp(\`X-Preview\`, \`${pick(["^t", "[0-9]", "(?i)two"])}\`)`,
    () => `Query(\`${pick(["q", "p"])}\`, \`${pick(["1", "two"])}\`)`,
    () => `QueryRegexp(\`q\`, \`${pick(["^t", ".*", "1|2"])}\`)`,
    () => "Query(`q`)",
    () => `ClientIP(\`${pick(["127.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::/0"])}\`)`,
  ];
  return pick(made)();
};
const rule = (depth: number): string => {
  if (depth === 0) return `${roll(10) === 0 ? "!" : ""}${matcher()}`;
  const both = `${rule(depth - 1)} ${pick(["&&", "&&", "&&", "&&", "||"])} ${rule(depth - 1)}`;
  return roll(4) === 0 ? `${pick(["", "", "", "!"])}(${both})` : both;
};
/** What Traefik refuses, and we must. */
const refused = [
  "Host(`a.example`) &",
  "Host(`a.example`",
  "Host()",
  "Host(``)",
  "Host(`a`, `b`)",
  "Nothing(`a`)",
  "Path(`a`)",
  "PathRegexp(`(`)",
  "ClientIP(`300.0.0.1`)",
  "Host(`é.example`)",
  "Header(`a`)",
  "Host(`a.example`)\n&& Path(`/`)",
];

const groups = 25;
const routers: Router[] = [
  ...Array.from({ length: 200 }, (_, index) => ({
    name: `r${index}@file`,
    // In groups, or the few that say little would take everything.
    rule: `Header(\`X-Group\`, \`${index % groups}\`) && (${rule(1 + roll(3))})`,
    priority: BigInt(roll(2) === 0 ? 0 : 1 + roll(200)),
    provider: "file",
  })),
  { name: "low@file", rule: "PathPrefix(`/`)", priority: -5n, provider: "file" },
  ...refused.map((one, index) => ({ name: `bad${index}@file`, rule: one, priority: 0n, provider: "file" })),
];
const bare = ({ name }: Router) => name.replace("@file", "");

/** JSON is YAML; each router sends away to its own name. Files are Go templates, where two braces would begin one. */
const file = JSON.stringify({
  http: {
    routers: Object.fromEntries(
      routers.map((one) => [
        bare(one),
        {
          rule: one.rule,
          entryPoints: ["web"],
          service: "noop@internal",
          middlewares: [`to-${bare(one)}`],
          ...(one.priority === 0n ? {} : { priority: Number(one.priority) }),
        },
      ]),
    ),
    middlewares: Object.fromEntries(
      routers.map((one) => [
        `to-${bare(one)}`,
        { redirectRegex: { regex: ".*", replacement: `http://${bare(one)}.invalid/` } },
      ]),
    ),
  },
});

describe.skipIf(!stack)("a real Traefik", () => {
  if (!stack) return;
  const directory = mkdtempSync(join(tmpdir(), "sluice-traefik-"));
  let container = "";
  let web = 0;
  let api = { name: "traefik", url: "", timeout: 5000, tls_days: 14 };

  beforeAll(async () => {
    writeFileSync(join(directory, "rules.yml"), file);
    const image = (
      await docker("inspect", "--format", "{{.Image}}", stack.containers.traefik ?? "")
    ).stdout.trim();
    web = await freePort();
    const port = await freePort();
    api = { ...api, url: `http://127.0.0.1:${port}` };
    const { stdout } = await docker(
      ...["run", "--detach", "--rm", "--volume", `${directory}:/rules:ro`],
      ...["--publish", `127.0.0.1:${web}:80`, "--publish", `127.0.0.1:${port}:8080`],
      ...["--entrypoint", "traefik", image],
      ...["--entryPoints.web.address=:80", "--entryPoints.traefik.address=:8080", "--api.insecure=true"],
      ...["--providers.file.directory=/rules", "--log.level=ERROR"],
    );
    container = stdout.trim();
    await until(
      "it has the rules",
      async () => (await httpRouters(api).catch(() => [])).length >= routers.length,
      30_000,
    );
  }, 60_000);
  afterAll(async () => {
    if (container !== "") await docker("rm", "--force", container);
    rmSync(directory, { recursive: true, force: true });
  });

  const ask = (request: HttpRequest): Promise<string> =>
    new Promise((resolve, reject) => {
      const path = request.query === "" ? request.path : `${request.path}?${request.query}`;
      const sent = http.request(
        {
          host: "127.0.0.1",
          port: web,
          method: request.method,
          path,
          headers: { Host: request.host, ...request.headers, Connection: "close" },
          timeout: 5000,
        },
        (answer) => {
          answer.resume();
          const to = /^http:\/\/([^.]+)\.invalid\//.exec(answer.headers.location ?? "")?.[1];
          resolve(to === undefined ? String(answer.statusCode) : `${to}@file`);
        },
      );
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
      sent.end();
    });

  test("its API tells the rules as they are, and which it refuses; ours refuses the same", async () => {
    const told = new Map((await httpRouters(api)).map((one) => [one.name, one]));
    expect((await entryPoints(api)).map(({ name }) => name)).toContain("web");
    const request = { method: "GET", host: "", path: "/", query: "", headers: {}, remoteAddr: "127.0.0.1:1" };
    const broken = routerFor(routers, request).candidates.filter(({ state }) => state === "broken");
    expect(broken.map(({ router }) => router.name).sort()).toEqual(
      [...told.values()]
        .filter(({ provider, enabled }) => provider === "file" && !enabled)
        .map(({ name }) => name)
        .sort(),
    );
    for (const { name, rule: said } of routers) expect(told.get(name)?.rule).toBe(said);
  });

  test("600 requests are taken by the same router", async () => {
    const differ: string[] = [];
    const taken = new Set<string>();
    const bridge = (
      await docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", container)
    ).stdout.trim();
    for (let round = 0; round < 600; round += 1) {
      const preview = pick([...values, null]);
      const request: HttpRequest = {
        method: pick(["GET", "GET", "POST", "HEAD"]),
        host: pick(hosts) + pick(["", "", ":8080"]),
        path: pick(paths),
        query: pick(["", "", "q=1", "q=two", "q", "p=1&q=TWO", "q=%31", "q=1;p=1"]),
        headers: {
          "X-Group": [String(roll(groups))],
          ...(preview === null ? {} : { "X-Preview": [preview] }),
        },
        remoteAddr: `${bridge}:1234`,
      };
      const path = throughEntryPoint(toBytes(request.path));
      const { winner, ties } = routerFor(routers, {
        ...request,
        path: fromBytes(path ?? ""),
        query: request.query.replaceAll(";", "&"),
      });
      const ours =
        path === null ? ["400"] : winner === null ? ["404"] : [winner, ...ties].map(({ name }) => name);
      const theirs = await ask(request);
      taken.add(theirs);
      if (!ours.includes(theirs))
        differ.push(`${JSON.stringify(request)}: ${theirs}, by ours ${ours.join(" or ")}`);
    }
    expect(differ).toEqual([]);
    // Not all by the same few.
    expect(taken.size).toBeGreaterThan(50);
  }, 60_000);
});
