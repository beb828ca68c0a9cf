// Bench (d): memory at rest of the production server, and the JavaScript that /purge loads first.
// `npx tsx bench/footprint.ts` after `npm run build`; everything is begun anew in a temporary folder.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "@playwright/test";
import { firstSignIn, freePort, startSluice } from "../scripts/setup/sluice.mjs";

const goalKb = 150;
const directory = mkdtempSync(join(tmpdir(), "sluice-bench-footprint-"));
const port = await freePort();
const sluice = await startSluice({
  port,
  dataDir: join(directory, "data"),
  config: join(directory, "none.yaml"),
  logFile: join(directory, "sluice.log"),
  env: { SLUICE_URL: `http://localhost:${port}` },
});

/** Resident memory, MB; Linux only. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sluice.pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024;

const system = "/usr/bin/chromium";
const browser = await chromium.launch({
  ...(existsSync(system) ? { executablePath: system } : {}),
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
try {
  await sleep(10_000);
  const atRest = resident();
  const context = await browser.newContext({ baseURL: sluice.url });
  const made = await context.request.post("/api/setup", {
    headers: { Origin: sluice.url },
    data: {
      code: firstSignIn(join(directory, "data")),
      name: "Bench",
      email: "bench@example.org",
      password: "correct horse battery",
    },
  });
  if (!made.ok()) throw new Error(`setup answered ${made.status()}: ${await made.text()}`);
  const page = await context.newPage();
  const scripts: { url: string; bytes: number }[] = [];
  const pending: Promise<void>[] = [];
  page.on("requestfinished", (request) => {
    if (request.resourceType() !== "script") return;
    pending.push(
      request.sizes().then(({ responseBodySize }) => {
        scripts.push({ url: request.url(), bytes: responseBodySize });
      }),
    );
  });
  await page.goto("/purge");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("load");
  await Promise.all(pending);
  const kb = scripts.reduce((sum, { bytes }) => sum + bytes, 0) / 1000;
  await sleep(5_000);
  process.stdout.write(`memory at rest            ${atRest.toFixed(0)} MB resident\n`);
  process.stdout.write(`memory with one viewer    ${resident().toFixed(0)} MB resident\n`);
  process.stdout.write(
    `JavaScript of /purge      ${kb.toFixed(0)} kB gzip in ${scripts.length} files, ${(kb / goalKb).toFixed(2)} of the goal (${goalKb} kB)\n`,
  );
} finally {
  await browser.close();
  await sluice.stop();
  rmSync(directory, { recursive: true, force: true });
}
