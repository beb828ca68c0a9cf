// What is looked at: every configured system, and the configuration itself while its file is broken.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { configSource } from "../config/load";
import { AppError } from "../errors/app-error";
import { setServiceState } from "../runtime/service-states";
import { targetsOf } from "./targets";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-targets-"));
  file = join(folder, "sluice.yaml");
  writeFileSync(file, "systems:\n  varnish: [{ name: varnish-1, url: http://127.0.0.1:1 }]\n");
  vi.stubEnv("SLUICE_CONFIG", file);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("a broken file is told by line and key, beside the systems that stay in force", async () => {
  const source = configSource();
  expect(targetsOf(source.config).map(({ kind, name }) => `${kind}/${name}`)).toEqual(["varnish/varnish-1"]);

  writeFileSync(file, "systems:\n  varnish: [{ name: Bad Name, url: http://127.0.0.1:1 }]\n");
  source.reload();
  const [broken, ...others] = targetsOf(source.config);
  expect(others.map(({ name }) => name)).toEqual(["varnish-1"]);
  const seen = await broken?.probe();
  expect(seen).toMatchObject({ state: "down", error: { code: "CONFIG_INVALID" } });
  expect(seen?.state === "down" && seen.error.message).toMatch(
    /sluice\.yaml:2:\d+ systems\.varnish\.0\.name: /,
  );

  writeFileSync(file, "systems: {}\n");
  source.reload();
  expect(targetsOf(source.config)).toEqual([]);
});

it("a service of Sluice's own that did not start is told with why, until it runs", async () => {
  const error = new AppError("CONFLICT", "The purge gateway cannot listen on 127.0.0.1:3100: in use.");
  setServiceState({ name: "gateway", state: "failed", error });
  const service = targetsOf(configSource().config).find(({ kind }) => kind === "service");
  expect(service?.name).toBe("gateway");
  expect(await service?.probe()).toMatchObject({ state: "down", error: { message: error.message } });

  setServiceState({ name: "gateway", state: "running", error: null });
  expect(targetsOf(configSource().config).some(({ kind }) => kind === "service")).toBe(false);
});
