// One page end to end on the real stack: stale before, purged from the inside out, proved fresh after.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, editor, type Lab, openLab, operator, port, publish, purgeToEnd, stackOf } from "./test-stack";

const page = "/fr/jazz-a-la-capitainerie";
const sibling = "/en/jazz-at-the-harbour-office";
const article = 4171;

describe.skipIf(stackOf() === null)("a purge on the stack", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.close());
  const at = (name: string) => port(lab.stack, name);
  const warmAll = async (...paths: string[]) => {
    for (const path of paths)
      for (const layer of ["varnish1", "varnish2", "edge", "edge"]) await ask(at(layer), path);
  };
  const revision = async (layer: string, path: string) =>
    Number((await ask(at(layer), path)).headers["x-revision"]);

  test("a page and its siblings go from stale to proved fresh, within 3 s", async () => {
    await warmAll(page, sibling);
    const before = await revision("edge", page);
    const now = await publish(lab.stack, article);
    expect(now).toBeGreaterThan(before);
    expect(await revision("edge", page)).toBe(before);

    const { row, proof } = await purgeToEnd(
      {
        target: { by: "url", urls: [`http://site.localhost:${at("edge")}${page}`] },
        mode: "hard",
        warm: "no",
      },
      { actor: editor },
    );
    expect(row).toMatchObject({ state: "done", outcome: "fresh", actor: { name: "Edith" } });
    expect(proof?.verdict).toBe("fresh");
    expect(proof?.layers.map((layer) => layer.layer)).toEqual([
      "redis",
      "nginx",
      "varnish",
      "varnish",
      "cloudflare",
    ]);
    expect(proof?.origin?.revision).toBe(String(now));
    expect(proof?.freshAfterMs).toBeLessThan(3000);
    for (const path of [page, sibling]) {
      for (const layer of ["varnish1", "varnish2", "edge"])
        expect(await revision(layer, path), `${layer} ${path}`).toBe(now);
    }
  });

  test("an operator may purge by tag; an editor may not", async () => {
    await warmAll(page);
    const now = await publish(lab.stack, article);
    const input = {
      target: { by: "tag", site: "site", tags: [`article-${article}`] },
      mode: "hard",
      warm: "no",
    };
    await expect(purgeToEnd(input, { actor: editor })).rejects.toMatchObject({ code: "FORBIDDEN" });
    const { proof } = await purgeToEnd(input, { actor: operator });
    expect(proof?.verdict).toBe("fresh");
    expect(await revision("varnish1", page)).toBe(now);
    expect(await revision("edge", page)).toBe(now);
  });

  test.each([
    ["prefix", { by: "prefix", site: "site", prefix: "/fr/" }, undefined],
    ["site", { by: "site", site: "site" }, undefined],
    ["everything", { by: "everything" }, "everything"],
  ])("an operator may purge by %s, an editor may not", async (_name, target, confirmation) => {
    await warmAll(page);
    const now = await publish(lab.stack, article);
    const input = { target, mode: "hard", warm: "no" };
    await expect(purgeToEnd(input, { actor: editor })).rejects.toMatchObject({ code: "FORBIDDEN" });
    if (confirmation !== undefined)
      await expect(purgeToEnd(input)).rejects.toMatchObject({ code: "CONFIRMATION_REQUIRED" });
    const { row } = await purgeToEnd(input, confirmation === undefined ? {} : { confirmation });
    expect(row).toMatchObject({ state: "done", outcome: "fresh" });
    for (const layer of ["varnish1", "varnish2", "edge"])
      expect(await revision(layer, page), layer).toBe(now);
  });

  test("a soft purge leaves the new page everywhere: the edge does not refill with what a node still served", async () => {
    await warmAll(page);
    const now = await publish(lab.stack, article);
    const { row, proof } = await purgeToEnd({
      target: { by: "url", urls: [`http://site.localhost:${at("edge")}${page}`] },
      mode: "soft",
      warm: "no",
    });
    expect(row).toMatchObject({ state: "done", outcome: "fresh" });
    expect(proof?.layers.flatMap((layer) => layer.why.map(({ key }) => key))).not.toContain(
      "secondPassCaught",
    );
    for (const layer of ["varnish1", "varnish2", "edge"])
      expect(await revision(layer, page), layer).toBe(now);
  });

  test("warming up fetches what was purged again", async () => {
    await warmAll(page);
    await publish(lab.stack, article);
    const { proof } = await purgeToEnd({
      target: { by: "url", urls: [`http://site.localhost:${at("edge")}${page}`] },
      mode: "hard",
      warm: "list",
    });
    expect(proof?.warmed?.done).toBeGreaterThan(0);
    expect(proof?.warmed?.failed).toBe(0);
  });
});

describe.skipIf(stackOf() === null)("variants at the edge", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab((yaml) =>
      yaml.replaceAll(
        "    second_pass:",
        "    cloudflare_variants: [{ Origin: https://app.example }]\n    second_pass:",
      ),
    );
  });
  afterAll(() => lab?.close());

  test("the copy for another Origin is purged with the page", async () => {
    const edge = port(lab.stack, "edge");
    const own = async () =>
      Number((await ask(edge, page, { headers: { origin: "https://app.example" } })).headers["x-revision"]);
    await own();
    const before = await own();
    const now = await publish(lab.stack, article);
    expect(await own()).toBe(before);
    const { row } = await purgeToEnd({
      target: { by: "url", urls: [`http://site.localhost:${edge}${page}`] },
      mode: "hard",
      warm: "no",
    });
    expect(row.outcome).toBe("fresh");
    expect(await own()).toBe(now);
  });
});
