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
    console.log(
      JSON.stringify(
        proof?.layers.map((layer) => [layer.system, layer.verdict, layer.evidence, layer.why, layer.checked]),
        null,
        1,
      ),
      proof?.freshAfterMs,
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
    console.log(
      JSON.stringify(
        proof?.layers.map((layer) => [layer.system, layer.verdict, layer.evidence, layer.why, layer.checked]),
      ),
    );
    expect(await revision("varnish1", page)).toBe(now);
    expect(await revision("edge", page)).toBe(now);
  });
});
