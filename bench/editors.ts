// Bench (j): JavaScript that the editors load, and what their pages load before one is opened.
// `npx tsx bench/editors.ts` after `npm run build`; everything is begun anew in a temporary folder.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { openSluice } from "./browser";

const directory = mkdtempSync(join(tmpdir(), "sluice-bench-rules-"));
writeFileSync(
  join(directory, "site.yml"),
  "http:\n  services:\n    one: { loadBalancer: { servers: [] } }\n",
);
/** Nothing listens at these addresses: the pages and their editors come all the same. */
const yaml = (url: string) => `server: { url: "${url}" }
systems:
  varnish: [{ name: varnish, url: "http://127.0.0.1:9", admin: "127.0.0.1:9", secret: bench }]
  traefik: [{ name: traefik, url: "http://127.0.0.1:9", directory: "${directory}" }]
`;
const sluice = await openSluice("editors", yaml);

/** kB of script (gzip) that `page` loads for an address, until `shown` is there. */
async function load(page: Page, address: string, shown: string): Promise<Map<string, number>> {
  const scripts = new Map<string, number>();
  const pending: Promise<void>[] = [];
  page.on("requestfinished", (request) => {
    if (request.resourceType() !== "script") return;
    pending.push(
      request
        .sizes()
        .then(({ responseBodySize }) => void scripts.set(request.url(), responseBodySize / 1000)),
    );
  });
  await page.goto(address);
  await page.locator(shown).first().waitFor({ timeout: 30_000 });
  await page.waitForLoadState("load");
  await Promise.all(pending);
  return scripts;
}
const sum = (sizes: Iterable<number>) => [...sizes].reduce((all, one) => all + one, 0);

try {
  const context = await sluice.signIn();
  const state = await context.storageState();
  /** Each page as for somebody who comes for the first time. */
  const fresh = async () =>
    (await context.browser()?.newContext({ baseURL: sluice.url, storageState: state })) ?? context;
  for (const [name, without, address] of [
    ["VCL", "/vcl", "/vcl/edit?cluster=varnish&from=template:static"],
    ["Traefik", "/routing", "/routing/edit?traefik=traefik"],
  ] as const) {
    const before = await load(await (await fresh()).newPage(), without, "h1");
    const opened = await load(await (await fresh()).newPage(), address, ".cm-content");
    const lazy = sum([...opened].flatMap(([url, kb]) => (before.has(url) ? [] : [kb])));
    process.stdout.write(
      `${name.padEnd(8)} ${without} ${sum(before.values()).toFixed(0)} kB, its editor ${lazy.toFixed(0)} kB more: ${((sum(before.values()) + lazy) / sum(before.values())).toFixed(2)} of it\n`,
    );
  }
} finally {
  await sluice.stop();
  rmSync(directory, { recursive: true, force: true });
}
