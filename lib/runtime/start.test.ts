// The runtime as a process: what it starts, what it says when it cannot, and that it goes down in order.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";

const root = mkdtempSync(join(tmpdir(), "sluice-runtime-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

function run(data: string): {
  child: ChildProcess;
  output: () => string;
  said: (text: string) => Promise<void>;
  ended: Promise<number | null>;
} {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(import.meta.dirname, "process.fixture.ts")],
    {
      env: {
        ...process.env,
        SLUICE_DATA: join(root, data),
        SLUICE_CONFIG: join(root, `${data}.yaml`),
        SLUICE_LOG: "info",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const said = async (text: string): Promise<void> => {
    const deadline = Date.now() + 15_000;
    while (!output.includes(text)) {
      if (Date.now() > deadline) throw new Error(`it never said "${text}":\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { child, output: () => output, said, ended };
}
function ask(data: string, sql: string): unknown {
  const connection = new Sqlite(join(root, data, "sluice.db"), { readonly: true });
  try {
    return connection.prepare(sql).pluck().get();
  } finally {
    connection.close();
  }
}

describe("the runtime", () => {
  test("a failing service is noted and stops no other; SIGTERM goes down in order and leaves the rest for the next start", {
    timeout: 60_000,
  }, async () => {
    writeFileSync(join(root, "a.yaml"), "history:\n  keep: long\n");
    const first = run("a");
    await first.said("accepted 1");
    expect(first.output()).toContain("one running, gateway failed Port 3100 is in use., two running");
    expect(first.output()).toMatch(/configuration not taken: .*a\.yaml:2:3 history\.keep/);

    const second = run("a");
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(/Sluice cannot start: Another Sluice \(process \d+\) is running/);
    expect(second.output()).not.toContain("one starts");

    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    expect(first.output().indexOf("two stops")).toBeGreaterThan(0);
    expect(first.output().indexOf("one stops")).toBeGreaterThan(first.output().indexOf("two stops"));
    expect(ask("a", 'SELECT count(*) FROM "Lease"')).toBe(0);
    expect(ask("a", 'SELECT "state" FROM "Change" WHERE "id" = 1')).toBe("running");

    const third = run("a");
    await third.said("accepted 2");
    expect(third.output()).toContain('"resumed":1');
    third.child.kill("SIGKILL");
    await third.ended;

    const began = performance.now();
    const fourth = run("a");
    await fourth.said("one starts");
    // Most of it is the start of tsx; the lease of the killed process costs nothing.
    expect(performance.now() - began).toBeLessThan(8000);
  });

  test("a database it cannot use ends it with a message", { timeout: 30_000 }, async () => {
    writeFileSync(join(root, "b"), "not a directory");
    const child = run("b");
    expect(await child.ended).toBe(1);
    expect(child.output()).toMatch(/Sluice cannot start: The data directory .* SLUICE_DATA/);
  });
});
