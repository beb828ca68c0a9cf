// Bench (d): memory at rest of the production server, and the JavaScript that /purge loads first.
// `npx tsx bench/footprint.ts` after `npm run build`; everything is begun anew in a temporary folder.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openSluice } from "./browser";

const goalKb = 150;
const sluice = await openSluice("footprint");

/** Resident memory, MB; Linux only. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sluice.pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024;

try {
  await sleep(10_000);
  const atRest = resident();
  const context = await sluice.signIn();
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
  await sluice.stop();
}
