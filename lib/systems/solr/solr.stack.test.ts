// Solr on the reference stack: well, hanging, stopped, a core that did not start, one that is not there, one that cannot write.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { exchange } from "../exchange";
import { concernsOf, problemOf } from "../test-server";
import { stackUrl, testStack, until } from "../test-stack";
import { probe } from "./solr";

const exec = promisify(execFile);
const stack = testStack();
const docker = (...args: string[]) => exec("docker", args, { timeout: 60_000 });

describe.skipIf(!stack)("solr", () => {
  if (!stack) return;
  const url = stackUrl(stack, "solr");
  const container = stack.containers.solr ?? "";
  const at = (core?: string, timeout = 3000) => ({ name: "solr", url, core, timeout });
  const ask = (path: string) => exchange({ base: url, path, timeoutMs: 10_000 });
  const search = (q: string) =>
    exchange({
      base: stackUrl(stack, "origin"),
      host: "site.localhost",
      path: `/fr/recherche?q=${q}`,
      timeoutMs: 10_000,
    });
  const isBack = () => until("Solr is back", async () => problemOf(await probe(at("site"))) === "up", 60_000);

  test("well: its facts are the server's, and the site's articles are in it", async () => {
    await until("the articles are in it", async () => {
      const seen = await probe(at("site"));
      return seen.state === "up" && Number(seen.data.facts.documents) > 50;
    });
    const seen = await probe(at());
    expect(seen).toMatchObject({
      state: "up",
      data: { version: "9.10.1", facts: { cores: 1, mode: "std" }, concerns: [] },
    });
    if (seen.state !== "up") return;
    const told = JSON.parse((await ask("/solr/site/select?q=*:*&rows=0")).body.toString());
    expect(seen.data.facts.documents).toBe(told.response.numFound);
    // A share of -Xmx256m: neither zero nor all.
    expect(seen.data.facts.heap).toBeGreaterThan(2);
    expect(seen.data.facts.heap).toBeLessThan(100);
    expect(seen.data.facts.uptime).toBeGreaterThan(0);
    const page = await search("concert");
    expect(page.status).toBe(200);
    expect(page.body.toString()).toContain('href="/fr/concert-');
  });

  test("what is published is found", async () => {
    const base = stackUrl(stack, "origin");
    const site = { base, host: "site.localhost", timeoutMs: 10_000 };
    const before = await exchange({ ...site, path: "/api/articles/4182?_locale=fr" });
    const { content } = JSON.parse(before.body.toString());
    const publish = (body: string) =>
      exchange({
        ...site,
        method: "POST",
        path: "/admin/articles/4182/publish",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ body, notify: false }),
      });
    const word = `mot${Date.now()}`;
    const finds = async () => (await search(word)).body.toString().includes("<li><a href=");
    expect(await finds()).toBe(false);
    try {
      expect((await publish(`${content} ${word}`)).status).toBe(200);
      await until("it is found", finds);
    } finally {
      await publish(content);
    }
    await until("it is gone", async () => !(await finds()));
  });

  test("a core that is not there, and a query that the site refuses", async () => {
    expect(problemOf(await probe(at("nowhere")))).toBe("solr.query");
    expect((await ask("/solr/site/select?q=nofield:1")).status).toBe(400);
  });

  test("a core that did not start is told, and the others answer", async () => {
    await docker("exec", container, "cp", "-r", "/opt/solr/home/site", "/var/solr/broken");
    try {
      await docker("exec", container, "sh", "-c", "echo '<config>' >/var/solr/broken/conf/solrconfig.xml");
      await docker("exec", container, "sh", "-c", "echo name=broken >/var/solr/broken/core.properties");
      await docker("restart", "--time", "20", container);
      await isBack();
      expect(problemOf(await probe(at("broken")))).toBe("solr.coreFailed");
      expect(concernsOf(await probe(at("site")))).toEqual(["solr.initFailures"]);
      expect(concernsOf(await probe(at()))).toEqual(["solr.initFailures"]);
    } finally {
      await docker("exec", container, "rm", "-r", "/var/solr/broken");
      await docker("restart", "--time", "20", container);
    }
    await isBack();
    expect(concernsOf(await probe(at()))).toEqual([]);
  }, 180_000);

  test("one that hangs is down within its time-out, and the site says that it cannot search", async () => {
    await docker("pause", container);
    try {
      const begun = performance.now();
      expect(problemOf(await probe(at("site", 500)))).toBe("http.timeout");
      expect(performance.now() - begun).toBeLessThan(1500);
      const page = await search("concert");
      expect(page.status).toBe(503);
      expect(page.body.toString()).toContain("La recherche est en panne");
      expect(performance.now() - begun).toBeLessThan(6000);
    } finally {
      await docker("unpause", container);
    }
    await isBack();
  }, 90_000);

  test("one that is stopped is down, and the site's pages answer", async () => {
    await docker("stop", "--time", "20", container);
    try {
      expect(await probe(at("site"))).toMatchObject({ state: "down", error: { code: "UNREACHABLE" } });
      expect((await search("concert")).status).toBe(503);
      const page = await exchange({
        base: stackUrl(stack, "origin"),
        host: "site.localhost",
        path: "/fr",
        timeoutMs: 10_000,
      });
      expect(page.status).toBe(200);
    } finally {
      await docker("start", container);
    }
    await isBack();
    expect((await search("concert")).status).toBe(200);
  }, 120_000);
});
