// What is said beforehand of Traefik's files, beside what a real Traefik does with them.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testStack, until } from "../../systems/test-stack";
import { readAccessLog } from "../../systems/traefik/access-log";
import { overviewOf, type TraefikOverview } from "../../systems/traefik/overview";
import { startTestTraefik, type TestTraefik } from "../../systems/traefik/test-traefik";
import { cases } from "../validate/cases.fixture";
import { judgeDirectory, validateDirectory } from "../validate/validate";
import { guardedOf } from "./guard";
import { replayed } from "./impact";
import { modelOf } from "./model";
import { inForce, knownOf, type Route, withFiles } from "./situation";

const stack = testStack();
type Files = readonly { readonly name: string; readonly text: string }[];

/** Each router sends away to its own name, after what guards it. What leads to Traefik's own services is not in its access log. */
function written(routers: Readonly<Record<string, object>>, middlewares: object = {}): Files {
  const names = Object.keys(routers);
  const away = names.map((name) => [
    `to-${name}`,
    { redirectRegex: { regex: ".*", replacement: `http://${name}.invalid/` } },
  ]);
  const all = Object.entries(routers).map(([name, one]) => {
    const { middlewares: before = [], ...rest } = one as { middlewares?: string[] };
    return [name, { service: "away", ...rest, middlewares: [...before, `to-${name}`] }];
  });
  const text = JSON.stringify({
    http: {
      routers: Object.fromEntries(all),
      services: { away: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } } },
      middlewares: { ...middlewares, ...Object.fromEntries(away) },
    },
  });
  return [{ name: "sites.yml", text }];
}

describe.skipIf(!stack)("a real Traefik", () => {
  if (!stack) return;
  const logs = mkdtempSync(join(tmpdir(), "sluice-log-"));
  let traefik: TestTraefik;
  let round = 0;

  beforeAll(async () => {
    // It may run as somebody else in there.
    chmodSync(logs, 0o777);
    traefik = await startTestTraefik(
      stack,
      {
        files: {},
        ports: { web: 80, secure: 443 },
        options: [
          ...["--entryPoints.web.address=:80", "--entryPoints.websecure.address=:443"],
          ...["--entryPoints.websecure.http.tls=true", "--entryPoints.dns.address=:53/udp"],
          ...["--providers.providersThrottleDuration=50ms", "--accesslog=true", "--accesslog.format=json"],
          "--accesslog.filePath=/log/access.log",
        ],
      },
      ["--volume", `${logs}:/log`],
    );
  }, 60_000);
  afterAll(async () => {
    await traefik?.stop();
    rmSync(logs, { recursive: true, force: true });
  });

  /** What it has once it has read these files. */
  const given = async (files: Files): Promise<TraefikOverview> => {
    const server = { name: "traefik", url: traefik.url, timeout: 5000, tls_days: 14 };
    round += 1;
    for (const name of readdirSync(traefik.directory)) rmSync(join(traefik.directory, name));
    for (const { name, text } of files) writeFileSync(join(traefik.directory, name), text);
    const marker = `marker${round}`;
    const router = { rule: "Host(`marker.invalid`)", service: "noop@internal", entryPoints: ["web"] };
    writeFileSync(join(logs, "marker"), JSON.stringify({ http: { routers: { [marker]: router } } }));
    renameSync(join(logs, "marker"), join(traefik.directory, "zz-marker.yml"));
    return until(
      `it has read the files of round ${round}`,
      async () => {
        const overview = await overviewOf(server);
        return overview.routers.some(({ name }) => name === `${marker}@file`) && overview;
      },
      20_000,
    );
  };
  const said = (files: Files, current: Files, overview: TraefikOverview): Route[] => {
    const surroundings = { provider: "file", overview };
    const stopped = judgeDirectory(files, knownOf(surroundings)).stopped;
    return withFiles(modelOf(files), stopped, modelOf(current), surroundings);
  };
  const seen = (files: Files, overview: TraefikOverview): Route[] =>
    inForce(modelOf(files), { provider: "file", overview });
  const plain = (routes: readonly Route[]): string[] =>
    routes
      .filter(({ provider, enabled, name }) => provider === "file" && enabled && !name.startsWith("marker"))
      .map(({ name, point, tls, rule, priority, guards }) =>
        JSON.stringify([name, point, tls, rule, String(priority), guards.map((one) => one.name).sort()]),
      )
      .sort();

  const ask = (
    port: number,
    host: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = http.request(
        {
          host: "127.0.0.1",
          port,
          path,
          headers: { Host: host, ...headers, Connection: "close" },
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

  /** Whether somebody without a certificate gets an answer. */
  const isOpen = (port: number, host: string): Promise<boolean> =>
    new Promise((resolve) => {
      const sent = https.request(
        {
          host: "127.0.0.1",
          port,
          servername: host,
          headers: { Host: host },
          rejectUnauthorized: false,
          agent: false,
        },
        (answer) => {
          answer.resume();
          resolve(true);
        },
      );
      sent.setTimeout(5000, () => sent.destroy());
      sent.on("error", () => resolve(false));
      sent.end();
    });

  test("it has the routers, rules, priorities and guards that the model says, in force those that it says", async () => {
    const differ: unknown[] = [];
    let routers = 0;
    const flat = cases
      .map(({ what, files }) => ({
        what,
        files: Object.entries(files).map(([name, text]) => ({ name, text })),
      }))
      .filter(({ files }) => files.every(({ name }) => !name.includes("/")))
      .filter(({ files }) => !validateDirectory(files, {}).some(({ effect }) => effect === "rejected"));
    const own = {
      what: "entry points, guards and chains",
      files: written(
        {
          everywhere: { rule: "Host(`a.example`)" },
          both: { rule: "Host(`b.example`)", entryPoints: ["web", "websecure"], middlewares: ["all"] },
          high: { rule: "Path(`/`)", entryPoints: ["web"], priority: 4711, middlewares: ["known"] },
          low: { rule: "Path(`/`)", entryPoints: ["websecure"], priority: -3, tls: {} },
          broken: { rule: "Path(`/`)", middlewares: ["bad"] },
        },
        {
          known: { ipAllowList: { sourceRange: ["10.0.0.0/8"] } },
          all: { chain: { middlewares: ["known", "slow"] } },
          slow: { rateLimit: { average: 1000, burst: 1000 } },
          bad: { basicAuth: { users: ["nobody"] } },
        },
      ),
    };
    for (const { what, files } of [own, ...flat.filter((_, index) => index % 5 === 0)]) {
      const overview = await given(files);
      const [theirs, ours] = [plain(seen(files, overview)), plain(said(files, files, overview))];
      routers += theirs.length;
      if (JSON.stringify(theirs) !== JSON.stringify(ours)) differ.push({ what, theirs, ours });
    }
    expect(differ).toEqual([]);
    expect(routers).toBeGreaterThan(20);
  }, 240_000);

  const site = { rule: "Host(`a.example`)", entryPoints: ["web"] };
  const admin = {
    ...{ rule: "Host(`a.example`) && PathPrefix(`/admin`)", entryPoints: ["web"], middlewares: ["auth"] },
  };
  const auth = (user: string) => ({ auth: { basicAuth: { users: [user] } } });

  test("a request falls to whom the guard says", async () => {
    const before = written({ site, admin }, auth("a:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"));
    const added = { ...site, rule: "Host(`a.example`) && PathPrefix(`/admin/export`)" };
    const drafts = [
      written({ site, admin }, auth("nobody")),
      written({ site, admin }),
      written({ site, admin: { ...admin, middlewares: [] } }),
      written({ site }),
      written({ site: { ...site, priority: 999 }, admin }, auth("a:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/")),
      written({ site, admin, added }, auth("a:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/")),
    ];
    const hows: string[] = [];
    for (const draft of drafts) {
      const overview = await given(before);
      expect(await ask(traefik.ports.web ?? 0, "a.example", "/admin")).toBe("401");
      const [row, ...more] = guardedOf(seen(before, overview), said(draft, before, overview));
      expect(more.filter(({ router }) => !router.startsWith("marker"))).toEqual([]);
      const { host, pathname } = new URL(row?.example ?? "");
      await given(draft);
      expect(await ask(traefik.ports.web ?? 0, host, pathname)).toBe(row?.falls);
      hows.push(`${row?.router} ${row?.how} ${row?.falls}`);
    }
    expect(hows).toEqual([
      "admin@file disabled site@file",
      "admin@file disabled site@file",
      "admin@file unguarded admin@file",
      "admin@file removed site@file",
      "admin@file unguarded site@file",
      "admin@file unguarded added@file",
    ]);
  }, 120_000);

  test("a certificate is asked for as long as the guard says so", async () => {
    const [ca, key] = [join(logs, "ca.pem"), join(logs, "key.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-subj", "/CN=Test", "-days", "9", "-out", ca, "-keyout", key],
      ],
      { stdio: "ignore", timeout: 20_000 },
    );
    const pem = readFileSync(ca, "utf8");
    const secure = { rule: "Host(`a.example`)", entryPoints: ["websecure"] };
    const options = {
      mtls: { clientAuth: { clientAuthType: "RequireAndVerifyClientCert", caFiles: [pem] } },
    };
    const withTls = (routers: Readonly<Record<string, object>>): Files => [
      ...written(routers),
      { name: "tls.yml", text: JSON.stringify({ tls: { options } }) },
    ];
    const before = withTls({ secure: { ...secure, tls: { options: "mtls" } } });
    const second = { ...secure, rule: "Host(`a.example`) && Path(`/second`)", tls: {} };
    const seenOf = async (draft: Files) => {
      const overview = await given(before);
      const lost = guardedOf(seen(before, overview), said(draft, before, overview)).map(
        (row) => row.middlewares,
      );
      await given(draft);
      return { lost, open: await isOpen(traefik.ports.secure ?? 0, "a.example") };
    };
    expect(await seenOf(before)).toEqual({ lost: [], open: false });
    expect(await seenOf(withTls({ secure: { ...secure, tls: {} } }))).toEqual({
      lost: [["mtls@file"]],
      open: true,
    });
    expect(await seenOf(withTls({ secure: { ...secure, tls: { options: "mtls" } }, second }))).toEqual({
      lost: [["mtls@file"]],
      open: true,
    });
  }, 120_000);

  test("its access log is read, and a replay says what it said", async () => {
    const files = written({
      site,
      any: { rule: "PathPrefix(`/any`)" },
      posts: { rule: "Host(`a.example`) && Method(`GET`) && Query(`q`, `1`)", entryPoints: ["web"] },
      coded: { rule: "Path(`/a b`)", entryPoints: ["web"], priority: 500 },
      preview: { rule: "Host(`a.example`) && Header(`X-Preview`, `1`)", entryPoints: ["web"] },
      everybody: { rule: "ClientIP(`::/0`) && PathPrefix(`/`)", entryPoints: ["web"] },
      nobody: { rule: "Host(`*.nobody.example`) && !ClientIP(`::/0`)", entryPoints: ["web"] },
    });
    const overview = await given(files);
    const routes = seen(files, overview);
    const asked: [host: string, path: string, headers?: Record<string, string>][] = [
      ["a.example", "/"],
      ["A.example:80", "/any/x"],
      ["a.example", "/x?q=1"],
      ["a.example", "/x?q=%31&z"],
      ["b.example", "/a%20b"],
      ["b.example", "/any/../a%20b"],
      ["a.example", "/", { "X-Preview": "1", "X-Forwarded-For": "2001:db8::1" }],
      ["x.nobody.example", "/"],
      ["b.example", "/nothing"],
    ];
    const took: string[] = [];
    for (const [host, path, headers] of asked)
      took.push(await ask(traefik.ports.web ?? 0, host, path, headers));
    expect(new Set(took)).toEqual(
      new Set(["site@file", "any@file", "posts@file", "coded@file", "preview@file", "nobody@file", "404"]),
    );
    const requests = await until("it has written them", async () => {
      const log = await readAccessLog(join(logs, "access.log"));
      if (log.state === "failed") throw new Error(JSON.stringify(log.problem));
      return log.requests.length >= asked.length && log.requests.slice(-asked.length);
    });
    const sources = new Map(overview.routers.map(({ name, source }) => [name, source]));
    const sourceOf = (name: string) => sources.get(name) ?? name;
    expect(requests.map(({ router }) => (router === null ? "404" : sourceOf(router)))).toEqual(took);
    // Each alone, without being told by its router: but for the one whose rule asks for a header.
    for (const [index, request] of requests.entries()) {
      const told = await replayed([{ ...request, router: null }], routes, []);
      const name = took[index];
      if (request.host.toLowerCase().startsWith("a.example") && request.query === "")
        expect(told.untold, name).toBe(1);
      else expect(told.shifts.map(({ from }) => from)).toEqual(name === "404" ? [] : [name]);
    }
    const told = await replayed(requests, routes, [], sourceOf);
    expect(told).toMatchObject({ requests: asked.length, untold: 0 });
    expect(told.shifts.reduce((sum, one) => sum + one.requests, 0)).toBe(
      took.filter((one) => one !== "404").length,
    );
  }, 60_000);
});
