// When a node counts as worse than before: only for what was good before. And what is asked of it to see that.
import { createServer, type IncomingMessage, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { closeConnections } from "../systems/exchange";
import { nodeCalled } from "./nodes";
import { type Window, watchNode, worseThan } from "./signals";

const good: Window = {
  seconds: 10,
  pages: { asked: 20, failed: 0, well: [] },
  counters: { uptime: 10, requests: 1000, hits: 900, misses: 100, vclFail: 0, fetchFailed: 0 },
};
const now = (part: Partial<Window["pages"]> & Partial<NonNullable<Window["counters"]>>): Window => ({
  ...good,
  pages: { asked: part.asked ?? 20, failed: part.failed ?? 0, well: [] },
  counters: good.counters === null ? null : { ...good.counters, ...part },
});
const failing = (failed: number, asked = 20): Window => ({ ...good, pages: { asked, failed, well: [] } });

test.each([
  ["as before", good, now({}), null],
  ["one page failed, by chance", good, now({ failed: 1 }), null],
  ["two pages failed", good, now({ failed: 2, asked: 4 }), "pages"],
  ["two of many, where none did before", good, now({ failed: 2, asked: 60 }), "pages"],
  ["pages that failed before too", failing(20), now({ failed: 20 }), null],
  ["a few of which failed before", failing(2), now({ failed: 3 }), null],
  ["a few of which failed before, and many now", failing(2), now({ failed: 10 }), "pages"],
  ["its child began anew", good, now({ uptime: -300, requests: -9000 }), "restarted"],
  ["its child began anew, with many requests since", good, now({ uptime: -3 }), "restarted"],
  ["the VCL fails", good, now({ vclFail: 1 }), "vclFail"],
  ["the VCL failed before too", now({ vclFail: 3 }), now({ vclFail: 3 }), null],
  ["fetches fail", good, now({ fetchFailed: 60 }), "fetches"],
  ["few fetches fail", good, now({ fetchFailed: 4 }), null],
  ["it hits no more", good, now({ hits: 100, misses: 900 }), "hitRatio"],
  ["too few requests to tell", good, now({ requests: 10, hits: 0, misses: 10 }), null],
  ["nothing counts", { ...good, counters: null }, { ...good, counters: null }, null],
] as const)("%s", (_, before, after, worse) => {
  expect(worseThan(before, after)).toBe(worse);
});

let house: House;
let server: Server;
let answer: (request: IncomingMessage) => { status: number; body?: string } = () => ({ status: 200 });
beforeAll(async () => {
  server = createServer((request, response) => {
    const { status, body = "" } = answer(request);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const url = `http://127.0.0.1:${typeof at === "object" ? at?.port : 0}`;
  house = await openHouse(`
systems:
  varnish:
    - { name: n1, cluster: c, url: "${url}", metrics: "${url}/metrics", timeout: 2s }
sites:
  - { name: site, addresses: ["https://shop.example"], watch: /, caches: { varnish: [n1] } }
`);
});
afterEach(() => {
  answer = () => ({ status: 200 });
});
afterAll(async () => {
  await closeConnections();
  server.close();
  await house.close();
});
const watch = (before?: Window) =>
  watchNode(nodeCalled("n1"), 0, new AbortController().signal, before === undefined ? {} : { before });

test("asked as its readers ask: the host and the scheme", async () => {
  const seen: unknown[] = [];
  answer = ({ headers }) => {
    if (headers.host === "shop.example") seen.push(headers["x-forwarded-proto"]);
    return { status: 200 };
  };
  await watch();
  expect(seen).toEqual(["https", "https"]);
});

test("4xx is a failure where it was good before, and only there", async () => {
  const before = await watch();
  expect(before.pages.well).toEqual(["shop.example/", "shop.example/ fresh"]);
  answer = () => ({ status: 403 });
  expect((await watch(before)).pages).toMatchObject({ asked: 2, failed: 2 });
  const behindPassword = await watch();
  expect(behindPassword.pages).toEqual({ asked: 2, failed: 0, well: [] });
  expect((await watch(behindPassword)).pages.failed).toBe(0);
});

test("an exporter that does not answer once leaves the counters of the rest", async () => {
  let scrapes = 0;
  answer = ({ url }) => {
    if (url !== "/metrics") return { status: 200 };
    scrapes += 1;
    const count = scrapes * 100;
    return scrapes === 1
      ? { status: 500 }
      : { status: 200, body: `varnish_main_client_req ${count}\nvarnish_main_uptime ${scrapes}\n` };
  };
  const node = nodeCalled("n1");
  const window = await watchNode(node, 1.5, new AbortController().signal);
  expect(scrapes).toBeGreaterThanOrEqual(3);
  expect(window.counters?.requests).toBe((scrapes - 2) * 100);
});
