// Bench (f): the list of services in a browser, 500 running containers against 20: how long until it is there, and how evenly it scrolls.
// `npx tsx bench/scroll.ts [containers]` after `npm run build`, as root, on Linux; an Engine of its own, everything is taken away again.
import type { Page } from "@playwright/test";
import { copyImage, startTestEngine, testImage } from "../lib/systems/docker/test-engine";
import { openSluice } from "./browser";

const many = Number(process.argv[2] ?? 500);
const few = 20;
const scrollMs = 8000;
const say = (text: string) => process.stdout.write(`${text}\n`);

const own = await startTestEngine("scroll");
const sluice = await openSluice(
  "scroll",
  () => `systems:\n  docker: [{ name: bench, socket: "${own.socket}" }]\n`,
);

async function start(names: readonly string[]): Promise<void> {
  const left = [...names];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let name = left.shift(); name !== undefined; name = left.shift())
        await own.docker("run", "-d", "--network", "none", "--name", name, testImage, "sleep", "infinity");
    }),
  );
}

/** Times between frames while the list goes down and up again, ms; and how many rows the page holds at most. */
async function scrolled(page: Page): Promise<{ frames: number[]; rows: number }> {
  return page.evaluate(async (ms) => {
    const pane = document.querySelector("main");
    if (pane === null) throw new Error("no pane");
    const frames: number[] = [];
    let rows = 0;
    const begun = performance.now();
    await new Promise<void>((done) => {
      let last = begun;
      const step = (now: number) => {
        frames.push(now - last);
        last = now;
        const part = ((now - begun) / ms) * 2;
        const down = part <= 1 ? part : 2 - part;
        pane.scrollTop = Math.max(0, down) * (pane.scrollHeight - pane.clientHeight);
        rows = Math.max(rows, document.querySelectorAll("[data-row]").length);
        if (now - begun < ms) requestAnimationFrame(step);
        else done();
      };
      requestAnimationFrame(step);
    });
    return { frames: frames.slice(1), rows };
  }, scrollMs);
}

async function measure(page: Page, containers: number) {
  const begun = performance.now();
  await page.goto("/services");
  await page
    .locator("[data-row]")
    .nth(Math.min(containers, few) - 1)
    .waitFor();
  const shownMs = performance.now() - begun;
  // Every container's first statistics are there.
  await page.waitForTimeout(5000);
  const { frames, rows } = await scrolled(page);
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { containers, shownMs, p50: at(0.5), p95: at(0.95), worst: at(1), frames: frames.length, rows };
}

try {
  await copyImage(own);
  const context = await sluice.signIn();
  const page = await context.newPage();
  // The compiler of this file names functions by it; the page does not know it.
  await page.addInitScript("globalThis.__name = (one) => one");
  await start(Array.from({ length: few }, (_, index) => `few-${index}`));
  const small = await measure(page, few);
  const begun = performance.now();
  await start(Array.from({ length: many - few }, (_, index) => `many-${index}`));
  say(`${many} containers run after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  const large = await measure(page, many);
  say("containers | shown after | frame p50 | p95 | longest | frames | rows in the page");
  for (const one of [small, large])
    say(
      [
        String(one.containers).padStart(10),
        `${one.shownMs.toFixed(0)} ms`.padStart(11),
        `${one.p50.toFixed(1)} ms`.padStart(9),
        `${one.p95.toFixed(1)} ms`,
        `${one.worst.toFixed(0)} ms`,
        String(one.frames),
        String(one.rows),
      ].join(" | "),
    );
  say(`a frame of ${many} / of ${few}, at p95: ${(large.p95 / small.p95).toFixed(2)}`);
} finally {
  await sluice.stop();
  await own.stop();
}
