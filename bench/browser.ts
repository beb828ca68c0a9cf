// For benchmarks: a Sluice of its own with its first administrator, and a browser that is signed in; `stop` takes all of it away.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "@playwright/test";
import { firstSignIn, freePort, startSluice } from "../scripts/setup/sluice.mjs";

export type BenchSluice = {
  readonly url: string;
  readonly pid: number;
  /** A signed-in browser. */
  signIn(): Promise<BrowserContext>;
  stop(): Promise<void>;
};

/** `yaml`: its configuration by its own address; none when left out. Needs `npm run build` before. */
export async function openSluice(name: string, yaml?: (url: string) => string): Promise<BenchSluice> {
  const directory = mkdtempSync(join(tmpdir(), `sluice-bench-${name}-`));
  const config = join(directory, "sluice.yaml");
  const dataDir = join(directory, "data");
  const port = await freePort();
  if (yaml !== undefined) writeFileSync(config, yaml(`http://localhost:${port}`));
  const sluice = await startSluice({
    port,
    dataDir,
    config,
    logFile: join(directory, "sluice.log"),
    env: { SLUICE_URL: `http://localhost:${port}` },
  });
  const system = "/usr/bin/chromium";
  const browser = await chromium.launch({
    ...(existsSync(system) ? { executablePath: system } : {}),
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  return {
    url: sluice.url,
    pid: sluice.pid,
    async signIn() {
      const context = await browser.newContext({
        baseURL: sluice.url,
        viewport: { width: 1440, height: 900 },
      });
      const made = await context.request.post("/api/setup", {
        headers: { Origin: sluice.url },
        data: {
          code: firstSignIn(dataDir),
          name: "Bench",
          email: "bench@example.org",
          password: "correct horse battery",
        },
      });
      if (!made.ok()) throw new Error(`setup answered ${made.status()}: ${await made.text()}`);
      return context;
    },
    async stop() {
      await browser.close();
      await sluice.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
