// What the acts write, in a real Traefik: each does what its form says.
import { request } from "node:http";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { testStack, until } from "../../systems/test-stack";
import { startTestTraefik, type TestTraefik } from "../../systems/traefik/test-traefik";
import type { ConfigFile } from "../files/contract";
import { applyAct } from "./act";
import { act as actSchema } from "./contract";

const stack = testStack();
/** Traefik's own API is what all of it leads to; nobody listens on the other port. */
const [alive, dead] = ["http://127.0.0.1:8080", "http://127.0.0.1:1"];
const hosts = ["plain", "headers", "auth", "office", "rate", "canary", "sticky", "down", "strict"];
const route = (name: string, tls = false) => ({
  act: "route",
  name,
  hosts: [`${name}.test`],
  to: { servers: [alive] },
  entryPoints: [tls ? "websecure" : "web"],
  certResolver: tls ? "" : null,
});
const redirects = [
  "plain.test/old,https://new.test/$1?no#part",
  "plain.test/with (brackets),/api/version,temporary",
  "plain.test/keeps,https://new.test/a+b",
  "plain.test/search?id=3,/found",
  "plain.test/caf%C3%A9,/coffee",
].join("\n");
const pass = { name: "pass", value: "0123456789abcdef" };
const acts: readonly object[] = [
  ...hosts.map((name) => route(name)),
  route("modern", true),
  {
    act: "route",
    name: "below",
    hosts: ["a.test", "b.test"],
    path: "/api/ver",
    to: { service: "plain" },
    entryPoints: ["web"],
    certResolver: null,
  },
  {
    act: "route",
    name: "dead",
    hosts: ["dead.test"],
    to: { servers: [dead] },
    entryPoints: ["web"],
    certResolver: null,
  },
  { act: "redirects", name: "moved", csv: redirects, entryPoints: ["web"], certResolver: null },
  {
    act: "headers",
    name: "inner",
    response: [{ name: "X-Gone", value: "1" }],
    routers: ["headers", "sticky"],
  },
  {
    act: "headers",
    name: "h",
    response: [
      { name: "X-Ours", value: "it's {{ ours }}" },
      { name: "X-Gone", value: "" },
    ],
    routers: ["headers"],
  },
  {
    act: "basicAuth",
    name: "auth",
    realm: "Our site",
    users: [{ name: "anna", password: "pässword" }],
    routers: ["auth"],
  },
  { act: "ipAllowList", name: "office", ranges: ["192.0.2.0/24"], routers: ["office"] },
  { act: "ipAllowList", name: "proxied", ranges: ["192.0.2.0/24"], depth: 1, routers: ["plain"] },
  { act: "rateLimit", name: "rate", average: 1, periodS: 3600, burst: 2, routers: ["rate"] },
  {
    act: "canary",
    name: "canary-parts",
    parts: [
      { service: "dead", weight: 0 },
      { service: "plain", weight: 1 },
    ],
    routers: ["canary"],
  },
  {
    act: "canary",
    name: "sticky-parts",
    parts: [
      { service: "dead", weight: 1 },
      { service: "plain", weight: 1 },
    ],
    cookie: "part",
    routers: ["sticky"],
  },
  { act: "tlsOptions", name: "strict", minVersion: "VersionTLS13", routers: ["modern"] },
  {
    act: "maintenance",
    on: true,
    hosts: ["down.test", "modern.test"],
    entryPoints: ["web", "websecure"],
    tls: true,
    retryAfterS: 120,
    until: "2030-01-01T00:00:00Z",
    bypass: { cookie: pass, header: { name: "X-Pass", value: "let`me" } },
  },
];

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

describe.skipIf(!stack)("a real Traefik", () => {
  if (!stack) return;
  let traefik: TestTraefik;
  let files: ConfigFile[] = [];

  beforeAll(async () => {
    for (const one of acts) files = await applyAct(files, actSchema.parse(one));
    traefik = await startTestTraefik(stack, {
      files: Object.fromEntries(files.map(({ name, text }) => [name, text])),
      ports: { web: 80, websecure: 443 },
      options: ["--entryPoints.web.address=:80", "--entryPoints.websecure.address=:443"],
    });
    await until(
      "the routers are there",
      async () => (await ask("plain", "/api/version", { "x-forwarded-for": "192.0.2.1" })).status !== 404,
      15_000,
    );
  });
  afterAll(() => traefik?.stop());

  const ask = (host: string, path = "/api/version", headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: traefik.ports.web,
          path,
          headers: { host: `${host}.test`, ...headers },
          timeout: 5000,
        },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
      sent.on("error", reject);
      sent.end();
    });
  const statuses = async (count: number, host: string): Promise<number[]> => {
    const all: number[] = [];
    for (let number = 0; number < count; number += 1) all.push((await ask(host)).status);
    return all;
  };

  test("takes all of it: nothing is disabled, nothing is warned of", async () => {
    for (const kind of ["routers", "services", "middlewares"]) {
      const answer = await fetch(`${traefik.url}/api/http/${kind}?per_page=1000`, {
        signal: AbortSignal.timeout(5000),
      });
      const all = z
        .array(z.object({ name: z.string(), status: z.string().default("enabled") }))
        .parse(await answer.json());
      expect(all.filter(({ status }) => status !== "enabled")).toEqual([]);
      expect(all.filter(({ name }) => name.endsWith("@file")).length).toBeGreaterThan(5);
    }
  });

  test("routes hosts and a path", async () => {
    expect((await ask("a")).status).toBe(200);
    expect((await ask("b")).status).toBe(200);
    expect((await ask("b", "/other")).status).toBe(404);
  });

  test("redirects", async () => {
    const to = async (path: string) => {
      const { status, headers } = await ask("plain", path);
      return [status, headers.location];
    };
    expect(await to("/old?a=1")).toEqual([301, "https://new.test/$1?no#part"]);
    expect(await to("/with%20(brackets)?a=1&b=$1")).toEqual([302, "/api/version?a=1&b=$1"]);
    expect(await to("/keeps")).toEqual([301, "https://new.test/a+b"]);
    expect(await to("/keeps?x=%2F")).toEqual([301, "https://new.test/a+b?x=%2F"]);
    expect(await to("/search?x=1&id=3")).toEqual([301, "/found"]);
    expect((await to("/search?id=4"))[0]).not.toBe(301);
    expect(await to("/caf%C3%A9")).toEqual([301, "/coffee"]);
  });

  test("sets headers, and takes them away", async () => {
    const { headers } = await ask("headers");
    expect(headers["x-ours"]).toBe("it's {{ ours }}");
    expect(headers["x-gone"]).toBeUndefined();
    expect((await ask("sticky")).headers["x-gone"]).toBe("1");
  });

  test("asks for a password", async () => {
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
    const without = await ask("auth");
    expect([without.status, without.headers["www-authenticate"]]).toEqual([401, 'Basic realm="Our site"']);
    expect((await ask("auth", "/api/version", basic("anna:wrong"))).status).toBe(401);
    expect((await ask("auth", "/api/version", basic("anna:pässword"))).status).toBe(200);
  });

  test("lets only known addresses in", async () => {
    expect((await ask("office")).status).toBe(403);
    expect((await ask("office", "/api/version", { "x-forwarded-for": "192.0.2.1" })).status).toBe(403);
  });

  test("limits", async () => {
    expect(await statuses(4, "rate")).toEqual([200, 200, 429, 429]);
  });

  test("shares out by weight, and keeps a visitor", async () => {
    expect(await statuses(10, "canary")).toEqual(Array(10).fill(200));
    expect((await statuses(10, "sticky")).filter((status) => status === 200)).toHaveLength(5);
    const first = await until(
      "the living part answers",
      async () => {
        const answer = await ask("sticky");
        return answer.status === 200 ? answer : null;
      },
      5000,
    );
    const cookie = String(first.headers["set-cookie"]).split(";")[0] ?? "";
    expect(cookie).toMatch(/^part=/);
    for (let number = 0; number < 6; number += 1)
      expect((await ask("sticky", "/api/version", { cookie })).status).toBe(200);
  });

  test("is down for everybody but who has the key", async () => {
    const { status, headers } = await ask("down");
    expect([status, headers["retry-after"]]).toEqual([503, "120"]);
    const by = async (sent: Record<string, string>) => (await ask("down", "/api/version", sent)).status;
    expect(await by({ cookie: `a=b; ${pass.name}=${pass.value}; c=d` })).toBe(200);
    expect(await by({ cookie: `x${pass.name}=${pass.value}` })).toBe(503);
    expect(await by({ cookie: `${pass.name}=${pass.value}x` })).toBe(503);
    expect(await by({ "x-pass": "let`me" })).toBe(200);
    expect((await ask("plain", "/", { "x-forwarded-for": "192.0.2.1" })).status).not.toBe(503);
  });

  test("refuses TLS 1.2 where 1.3 is asked for, in the maintenance of that host, too", async () => {
    const version = (servername: string, maxVersion: "TLSv1.2" | "TLSv1.3") =>
      new Promise<string | null>((resolve) => {
        const socket = connect(
          {
            host: "127.0.0.1",
            port: traefik.ports.websecure,
            servername,
            maxVersion,
            rejectUnauthorized: false,
            timeout: 5000,
          },
          () => {
            resolve(socket.getProtocol());
            socket.destroy();
          },
        );
        socket.on("error", () => resolve(null));
        socket.on("timeout", () => socket.destroy(new Error("no answer in time")));
      });
    expect(await version("modern.test", "TLSv1.3")).toBe("TLSv1.3");
    expect(await version("modern.test", "TLSv1.2")).toBe(null);
    expect(await version("other.test", "TLSv1.2")).toBe("TLSv1.2");
  });
});
