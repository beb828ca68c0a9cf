// A node's facts as the API answers them: whole, in part, and none.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stackUrl, testStack } from "../../systems/test-stack";
import { closeCli } from "../../systems/varnish/cli";
import { nodeFacts } from "./contract";
import { factsOf } from "./service";

const stack = testStack();

describe.skipIf(!stack)("a node's facts", () => {
  if (!stack) return;
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-facts-"));
    const file = join(folder, "sluice.yaml");
    const url = stackUrl(stack, "varnish1");
    const admin = `admin: "127.0.0.1:${stack.ports.varnish1Admin}", secret_file: ${stack.secrets.varnishSecretFile}`;
    writeFileSync(
      file,
      `systems:
  varnish:
    - { name: whole, url: "${url}", ${admin}, metrics: "${stackUrl(stack, "varnish1Metrics")}/metrics" }
    - { name: in-part, url: "${url}", ${admin}, metrics: "http://127.0.0.1:9/metrics" }
    - { name: closed, url: "${url}", admin: "127.0.0.1:9", secret: x }
`,
    );
    vi.stubEnv("SLUICE_CONFIG", file);
  });
  afterAll(() => {
    closeCli();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  const failed = async (name: string) =>
    Object.entries(nodeFacts.parse(await factsOf(name))).flatMap(([key, part]) =>
      typeof part === "object" && part?.state === "failed" ? [`${key} ${part.problem.problem}`] : [],
    );

  test("all of them, and once for two who ask", async () => {
    const [facts, same] = await Promise.all([factsOf("whole"), factsOf("whole")]);
    expect(same).toBe(facts);
    expect(await failed("whole")).toEqual([]);
    expect(nodeFacts.parse(facts)).toMatchObject({
      daemon: { data: { state: "running", version: expect.stringMatching(/^\d+\./) } },
      bans: { data: { total: expect.any(Number) } },
    });
  });

  test("what fails blanks no other", async () => {
    expect(await failed("in-part")).toEqual(["counters http.connectionRefused"]);
  });

  test("a CLI that is closed is told at each part, and nothing of counters that nobody configured", async () => {
    const parts = ["daemon", "vcls", "backends", "bans", "parameters", "storage", "panic"];
    expect(await failed("closed")).toEqual(parts.map((part) => `${part} http.connectionRefused`));
    expect((await factsOf("closed")).counters).toBeNull();
    await expect(factsOf("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
