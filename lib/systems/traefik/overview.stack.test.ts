// What a real Traefik tells of itself: the reference stack's, and one whose configuration is broken in every way that we name.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange } from "../exchange";
import { stackUrl, testStack, until } from "../test-stack";
import { overviewOf, type TraefikOverview } from "./overview";
import { startTestTraefik, type TestTraefik } from "./test-traefik";

const stack = testStack();
const hash = "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";
const digest = "939e7578ed9e3c518a452acee763bce9";

function certificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), "sluice-certificate-"));
  try {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...[
          "-subj",
          "/CN=shop.example/O=Test",
          "-addext",
          "subjectAltName=DNS:shop.example,DNS:*.shop.example",
        ],
        ...["-days", "9", "-out", cert, "-keyout", key],
      ],
      { stdio: "ignore", timeout: 20_000 },
    );
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { cert, key } = stack ? certificate() : { cert: "", key: "" };
const service = "noop@internal";
/** JSON is YAML. */
const broken = JSON.stringify({
  http: {
    routers: {
      both: { rule: "Host(`shop.example`)", entryPoints: ["web", "websecure"], service },
      authed: { rule: "Path(`/authed`)", entryPoints: ["web"], service, middlewares: ["basic", "digest"] },
      down: { rule: "Path(`/down`)", entryPoints: ["web"], service: "down" },
      nowhere: { rule: "Path(`/nowhere`)", entryPoints: ["web"], service: "missing" },
      unguarded: { rule: "Path(`/unguarded`)", entryPoints: ["web"], service, middlewares: ["guard"] },
      lost: { rule: "Path(`/lost`)", entryPoints: ["wbe"], service },
      half: { rule: "Path(`/half`)", entryPoints: ["web", "wbe"], service },
      unruly: { rule: "Path(`/unruly`", entryPoints: ["web"], service },
      untls: { rule: "Host(`untls.example`)", entryPoints: ["websecure"], service, tls: { options: "gone" } },
      leaky: { rule: "Path(`/leaky`)", entryPoints: ["web"], service, middlewares: ["leaky"] },
      empty: { rule: "Path(`/empty`)", entryPoints: ["web"], service: "empty" },
      older: { rule: "Path(`/{any}`)", ruleSyntax: "v2", entryPoints: ["web"], service },
      first: { rule: "Host(`tls.example`) && Path(`/1`)", entryPoints: ["plain"], service, tls: {} },
      second: {
        rule: "Host(`tls.example`) && Path(`/2`)",
        entryPoints: ["plain"],
        service,
        tls: { options: "strict" },
      },
    },
    services: {
      down: {
        loadBalancer: {
          servers: [{ url: "http://user:geheim@127.0.0.1:1" }],
          healthCheck: { path: "/", interval: "1s", timeout: "1s" },
        },
      },
      empty: { weighted: { services: [{ name: "missing" }] } },
    },
    middlewares: {
      basic: { basicAuth: { users: [`admin:${hash}`] } },
      digest: { digestAuth: { users: [`admin:realm-of-it:${digest}`] } },
      // Without its colon: Traefik says the whole of it in its error.
      leaky: { basicAuth: { users: [`admin ${hash}`] } },
    },
  },
  tcp: {
    routers: {
      db: {
        rule: "HostSNI(`db.example`)",
        entryPoints: ["plain"],
        service: "db",
        tls: { passthrough: true },
      },
      bare: { rule: "HostSNI(`bare.example`)", entryPoints: ["plain"], service: "db" },
    },
    services: { db: { loadBalancer: { servers: [{ address: "127.0.0.1:1" }] } } },
    middlewares: { near: { ipAllowList: { sourceRange: ["127.0.0.0/8"] } } },
  },
  udp: {
    routers: { dns: { entryPoints: ["dns"], service: "gone" } },
    services: { there: { loadBalancer: { servers: [{ address: "127.0.0.1:1" }] } } },
  },
  tls: { certificates: [{ certFile: cert, keyFile: key }], options: { strict: { sniStrict: true } } },
});

describe.skipIf(!stack)("a real Traefik", () => {
  if (!stack) return;

  test("the stack's: who is served by what, which servers are up", async () => {
    const url = stackUrl(stack, "traefikApi");
    const seen = await overviewOf({ name: "traefik", url, tls_days: 14, timeout: 5000 });
    expect(seen.version).toMatch(/^3\.\d+\.\d+$/);
    expect(seen.entryPoints).toContainEqual(expect.objectContaining({ name: "web", address: ":80" }));
    expect(seen.routers).toContainEqual(
      expect.objectContaining({
        protocol: "http",
        name: "site@file",
        source: "site@file",
        rule: "Host(`site.localhost`)",
        entryPoints: ["web"],
        priority: 22n,
        status: "enabled",
        tls: false,
        faults: [],
      }),
    );
    // By a container's label, beside those of the files.
    expect(seen.routers).toContainEqual(
      expect.objectContaining({ name: "direct@docker", provider: "docker", status: "enabled", faults: [] }),
    );
    // Beyond a double: as it is, not rounded.
    expect(seen.routers.find(({ name }) => name === "api@internal")?.priority).toBe(9223372036854775806n);
    const varnish = seen.services.find(({ name }) => name === "varnish@file");
    expect(varnish).toMatchObject({ type: "loadbalancer", status: "enabled" });
    expect(varnish?.usedBy).toContain("site@file");
    expect(varnish?.servers.map(({ up }) => up)).toEqual([true, true]);
    expect(seen.middlewares).toContainEqual({
      protocol: "http",
      name: "again@file",
      provider: "file",
      type: "retry",
      status: "enabled",
      usedBy: ["others@file", "shop@file", "site@file"],
    });
  });

  describe("one that is broken", () => {
    let traefik: TestTraefik | null = null;
    let seen: TraefikOverview;
    const server = () => ({ name: "broken", url: traefik?.url ?? "", tls_days: 14, timeout: 5000 });
    beforeAll(async () => {
      traefik = await startTestTraefik(stack, {
        files: { "broken.yml": broken },
        ports: {},
        options: [
          ...["--entryPoints.web.address=:80", "--entryPoints.plain.address=:81"],
          ...["--entryPoints.websecure.address=:443", "--entryPoints.websecure.http.tls=true"],
          "--entryPoints.dns.address=:53/udp",
        ],
      });
      seen = await until(
        "it finds the server down",
        async () => {
          const now = await overviewOf(server());
          return now.services.some(({ servers }) => servers.some(({ up }) => !up)) && now;
        },
        20_000,
      );
    }, 60_000);
    afterAll(() => traefik?.stop());

    const routers = (protocol: string) => seen.routers.filter((one) => one.protocol === protocol);
    const told = (name: string, protocol = "http") => {
      const one = routers(protocol).find((each) => each.name === `${name}@file`);
      return [one?.status, ...(one?.faults.map(({ kind, about }) => `${kind} ${about}`.trim()) ?? [])];
    };

    test("every error in a word, with the name that it is about", () => {
      expect(told("nowhere")).toEqual(["disabled", "serviceMissing missing@file"]);
      expect(told("unguarded")).toEqual(["disabled", "middlewareMissing guard@file"]);
      expect(told("lost")).toEqual(["disabled", "entryPointMissing wbe", "noEntryPoint"]);
      expect(told("half")).toEqual(["warning", "entryPointMissing wbe"]);
      expect(told("unruly")).toEqual(["disabled", "badRule"]);
      expect(told("untls")).toEqual(["disabled", "tlsOptionsMissing gone@file"]);
      expect(told("leaky")).toEqual(["disabled", "badUser"]);
      expect(told("empty")).toEqual(["disabled", "serviceMissing missing@file"]);
      expect(told("bare", "tcp")).toEqual(["disabled", "sniWithoutTls"]);
      expect(told("dns", "udp")).toEqual(["disabled", "serviceMissing gone@file"]);
      expect(told("authed")).toEqual(["enabled"]);
      expect(told("db", "tcp")).toEqual(["enabled"]);
      expect(seen.routers.flatMap(({ faults }) => faults).filter(({ kind }) => kind === "other")).toEqual([]);
      expect(routers("http").find(({ name }) => name === "older@file")?.old).toBe(true);
    });

    test("parts of routers are called by the names of their file", () => {
      const names = routers("http")
        .filter(({ name }) => /both|first|second|half/.test(name))
        .map(({ name, source, entryPoints }) => `${name} is ${source} at ${entryPoints.join("+")}`);
      expect(names.sort()).toEqual([
        "both@file is both@file at web",
        "half@file is half@file at web+wbe",
        "plain-conflicted-first@file is first@file at plain",
        "plain-conflicted-second@file is second@file at plain",
        "websecure-both@file is both@file at websecure",
      ]);
    });

    test("middlewares without their options, and no password anywhere", async () => {
      expect(seen.middlewares).toEqual(
        expect.arrayContaining([
          {
            protocol: "http",
            name: "basic@file",
            provider: "file",
            type: "basicauth",
            status: "enabled",
            usedBy: ["authed@file"],
          },
          expect.objectContaining({ protocol: "tcp", name: "near@file", type: "ipallowlist" }),
        ]),
      );
      expect(seen.middlewares.find(({ name }) => name === "leaky@file")?.status).toBe("disabled");
      const text = JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? String(value) : value));
      // Traefik itself tells them.
      const lists = await Promise.all(
        ["middlewares", "routers", "services"].map((path) =>
          exchange({ base: server().url, path: `/api/http/${path}?per_page=100`, timeoutMs: 5000 }),
        ),
      );
      const its = lists.map(({ body }) => Buffer.from(body).toString("utf8")).join("");
      for (const secret of [hash, digest, "realm-of-it", "geheim"]) {
        expect(its).toContain(secret);
        expect(text).not.toContain(secret);
      }
    });

    test("servers that are down, certificates and when they end, what is used by whom", () => {
      expect(seen.services).toContainEqual(
        expect.objectContaining({
          name: "down@file",
          servers: [{ url: "http://user:•••@127.0.0.1:1", up: false }],
        }),
      );
      expect(seen.services).toContainEqual(
        expect.objectContaining({ protocol: "udp", name: "there@file", type: "loadbalancer", usedBy: [] }),
      );
      const found = seen.certificates?.find(({ commonName }) => commonName === "shop.example");
      expect(found).toMatchObject({ sans: ["*.shop.example", "shop.example"], issuer: "Test" });
      const days = ((found?.notAfter.getTime() ?? 0) - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(8);
      expect(days).toBeLessThan(10);
    });
  });
});
