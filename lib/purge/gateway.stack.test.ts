// The purge gateway on the real stack: each dialect, durable answers, coalescing, and an edit that becomes fresh by itself.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engine } from "@/lib/changes/engine";
import { db } from "@/lib/db/client";
import { until } from "@/lib/systems/test-stack";
import { startGateway } from "./gateway";
import { ask, type Lab, openLab, port, publish, stackOf } from "./test-stack";
import { wire } from "./test-wire";

const page = "/fr/lectures-au-phare";
const sibling = "/en/readings-at-the-lighthouse";
const article = 4167;

describe.skipIf(stackOf() === null)("the purge gateway on the stack", () => {
  let lab: Lab;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    lab = await openLab();
    gateway = await startGateway({ listen: "127.0.0.1:0" });
  });
  afterAll(async () => {
    await gateway?.stop();
    await lab?.close();
  });
  const at = (name: string) => port(lab.stack, name);
  const tell = (method: string, path: string, headers: Record<string, string> = {}) =>
    wire(gateway.port, method, path, { host: "site.localhost", ...headers });
  const revision = async (layer: string, path: string) =>
    Number((await ask(at(layer), path)).headers["x-revision"]);
  const warmAll = async (...paths: string[]) => {
    for (const path of paths)
      for (const layer of ["varnish1", "varnish2", "edge", "edge"]) await ask(at(layer), path);
  };
  const idle = () =>
    until(
      "the gateway's changes have ended",
      async () => {
        const open = await db().purgeItem.count({ where: { changeId: null } });
        const running = await db().change.count({
          where: { state: { in: ["planned", "running", "verifying"] } },
        });
        return open + running === 0;
      },
      30_000,
    );

  const dialects: [string, string, string, Record<string, string>][] = [
    ["Roadiz: PURGE of the address", "PURGE", page, {}],
    [
      "API Platform: BAN with a list of IRIs",
      "BAN",
      "/",
      { "ApiPlatform-Ban-Regex": `(/api/articles/${article}|/api/articles)($|\\,)` },
    ],
    ["xkey", "PURGE", "/", { xkey: `article-${article} list-articles` }],
    ["Surrogate-Key", "PURGE", "/", { "Surrogate-Key": `article-${article}` }],
    [
      "FOSHttpCache: BAN with X-Cache-Tags",
      "BAN",
      "/",
      { "X-Cache-Tags": `(^|,)(article\\-${article}|list\\-articles)(,|$)` },
    ],
    ["Roadiz: BAN of the host", "BAN", "/", {}],
  ];
  test.each(dialects)("%s makes the edge fresh", async (_name, method, path, headers) => {
    await warmAll(page, sibling);
    const now = await publish(lab.stack, article);
    expect(await revision("edge", page)).toBeLessThan(now);
    const answer = await tell(method, path, headers);
    expect(answer).toMatchObject({ status: 200 });
    await idle();
    for (const layer of ["varnish1", "varnish2", "edge"])
      expect(await revision(layer, page), layer).toBe(now);
    expect(await revision("edge", sibling)).toBe(now);
    const last = await db().change.findFirstOrThrow({ orderBy: { id: "desc" } });
    expect(last).toMatchObject({
      kind: "purge.gateway",
      actorType: "gateway",
      origin: "gateway",
      state: "done",
      outcome: "fresh",
    });
  });

  test("is durable when it answers, and the same target within a window is one item", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        tell("PURGE", `/fr/archive/${(index % 4) + 1}`, { "user-agent": "Symfony HttpClient" }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const rows = await db().purgeItem.findMany({ where: { value: { startsWith: "/fr/archive/" } } });
    expect(rows.length).toBe(4);
    await idle();
    const after = await db().purgeItem.findMany({ where: { value: { startsWith: "/fr/archive/" } } });
    expect(after.map(({ count }) => count)).toEqual([10, 10, 10, 10]);
    expect(JSON.parse(after[0]?.cause ?? "{}")).toMatchObject({
      client: "127.0.0.1",
      agent: "Symfony HttpClient",
      header: "PURGE",
    });
    const change = await db().change.findFirstOrThrow({ orderBy: { id: "desc" } });
    expect(JSON.parse(change.plan)).toMatchObject({ batch: { asks: 40, items: 4, clients: ["127.0.0.1"] } });
  });

  test("what was taken in by a process that died is carried out by the next", async () => {
    await warmAll(page);
    const now = await publish(lab.stack, article);
    await gateway.stop();
    await db().purgeItem.create({ data: { type: "url", site: "site", host: "site.localhost", value: page } });
    gateway = await startGateway({ listen: "127.0.0.1:0" });
    await idle();
    expect(await revision("edge", page)).toBe(now);
  });

  test("a port that is taken is told, with the setting to change", async () => {
    await expect(startGateway({ listen: `127.0.0.1:${gateway.port}` })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("gateway.listen"),
    });
    expect(engine()).toBeDefined();
  });
});
