// The configurations that the lab makes are ones that Sluice takes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { parseConfig } from "../lib/config/parse";
import { addressesOf, portsFrom } from "./run/settings.mjs";
import { sluiceYaml } from "./sluice-yaml.mjs";

const folder = mkdtempSync(join(tmpdir(), "sluice-yaml-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the sluice.yaml of a stack is valid and names all its systems", () => {
  const secret = join(folder, "varnish.secret");
  writeFileSync(secret, "s3cret\n");
  const addresses = addressesOf("10.213.7");
  const text = sluiceYaml(
    {
      ports: portsFrom(18_000),
      subnet: "10.213.7.0/24",
      bridgeAddress: addresses.bridge,
      varnishNodes: ["varnish-1", "varnish-2"],
      vclFiles: {
        "varnish-1": "/lab/vcl/varnish-1/default.vcl",
        "varnish-2": "/lab/vcl/varnish-2/default.vcl",
      },
      traefikRules: "/lab/traefik/rules",
      traefikLog: "/lab/traefik/log/access.log",
      secrets: {
        varnishSecretFile: secret,
        cloudflareToken: "token",
        redisPassword: "pass",
        s3AccessKey: "access",
        s3SecretKey: "secret",
        mariadbPassword: "m",
        mariadbRootPassword: "",
        mariadbUser: "site",
        mariadbDatabase: "site",
      },
    },
    { url: "http://localhost:3055", gatewayPort: 3155 },
  );
  const parsed = parseConfig(text, join(folder, "sluice.yaml"), {});
  expect(parsed).toMatchObject({ ok: true });
  if (!parsed.ok) return;
  expect(parsed.config.server.url).toBe("http://localhost:3055");
  expect(parsed.config.gateway.listen).toBe("10.213.7.1:3155");
  expect(parsed.config.systems.varnish.map((node) => node.admin)).toEqual([
    "127.0.0.1:18021",
    "127.0.0.1:18022",
  ]);
  expect(parsed.config.systems.varnish.map((node) => node.labels)).toEqual([
    { instance: "varnish-1" },
    { instance: "varnish-2" },
  ]);
  expect(parsed.config.systems).toMatchObject({
    prometheus: [{ url: "http://127.0.0.1:18060" }],
    alertmanager: [{ url: "http://127.0.0.1:18061" }],
    smtp: [{ address: "127.0.0.1:18070", tls: "never" }],
  });
  expect(parsed.config.sites.map((site) => site.addresses[0])).toEqual([
    "http://site.localhost:18000",
    "http://shop.localhost:18000",
  ]);
});

test("the sluice.yaml of docker-compose.yml is valid", () => {
  const file = fileURLToPath(new URL("sluice.compose.yaml", import.meta.url));
  const env = {
    PUBLIC_SLUICE_PORT: "3000",
    PUBLIC_SITE_PORT: "18000",
    LAB_SUBNET: "10.213.0.0/24",
    VARNISH_SECRET: "v",
    REDIS_PASSWORD: "r",
    MARIADB_PASSWORD: "m",
    S3_ACCESS_KEY: "a",
    S3_SECRET_KEY: "s",
    CLOUDFLARE_TOKEN: "c",
  };
  expect(parseConfig(readFileSync(file, "utf8"), file, env)).toMatchObject({ ok: true });
});
