// The protocol that the recommended VCL defines, asked of the two real nodes.
import { beforeEach, describe, expect, it } from "vitest";
import {
  article,
  ask,
  docker,
  dropFragments,
  inContainer,
  publish,
  raw,
  site,
  stack,
  until,
} from "./test-stack";

const nodes = [
  { name: "varnish-1", port: stack.ports.varnish1 },
  { name: "varnish-2", port: stack.ports.varnish2 },
] as const;
const one = stack.ports.varnish1;
const peek = (path: string, headers: Record<string, string> = {}, port: number = one) =>
  ask(port, path, { method: "PEEK", headers });
const purge = (path: string, headers: Record<string, string> = {}, port: number = one) =>
  ask(port, path, { method: "PURGE", headers });
const ban = (headers: Record<string, string>, port: number = one) =>
  ask(port, "/", { method: "BAN", headers });
const cached = async (path: string, headers: Record<string, string> = {}) =>
  (await peek(path, headers)).status === 200;
async function fill(...paths: string[]) {
  for (const path of paths) expect((await ask(one, path)).status, path).toBe(200);
}

beforeEach(async () => {
  expect((await ban({ "sluice-ban-all": "1" })).status).toBe(200);
});

describe.each(nodes)("$name", ({ name, port }) => {
  it("answers who it is", async () => {
    const answer = await ask(port, "/fr/archive/1");
    expect(answer.headers["x-served-by"]).toBe(name);
    expect(answer.headers["x-cache"]).toMatch(/^(HIT|MISS)$/);
    for (const inner of ["xkey", "x-url", "x-host", "cache-tags"])
      expect(answer.headers[inner]).toBeUndefined();
    expect(answer.headers["cache-tag"]).toContain("archive-1");
  });
});

describe("PEEK", () => {
  it("tells a miss, fetches nothing, and tells a hit", async () => {
    const miss = await peek("/fr/archive/2");
    expect(miss.status).toBe(404);
    expect(miss.headers["sluice-cache"]).toBe("MISS");
    expect(await cached("/fr/archive/2")).toBe(false);
    await fill("/fr/archive/2");
    const hit = await peek("/fr/archive/2");
    expect(hit.status).toBe(200);
    expect(hit.headers).toMatchObject({ "sluice-cache": "HIT", "sluice-vcl": "1" });
    expect(Number(hit.headers["sluice-ttl"])).toBeGreaterThan(590);
    expect(Number(hit.headers["sluice-age"])).toBeLessThan(10);
    expect(Number(hit.headers["sluice-grace"])).toBe(3600);
    expect(hit.headers["sluice-tags"]).toBe("archive archive-2");
    expect(Number(hit.headers["sluice-revision"])).toBeGreaterThan(0);
    expect(hit.headers["sluice-hits"]).toMatch(/^\d+$/);
    expect(hit.headers["sluice-boot"]).toMatch(/^\d+-\d+$/);
  });

  it("does not wait for a fetch that is under way", async () => {
    const slow = ask(one, "/fr/archive/3?delay=1500");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const start = performance.now();
    expect((await peek("/fr/archive/3?delay=1500")).status).toBe(404);
    expect(performance.now() - start).toBeLessThan(500);
    await slow;
  });

  it("sees what a visitor of the API sees, however Accept is worded", async () => {
    const path = "/api/web_response_by_path?path=%2Ffr%2Fevenements";
    await ask(one, path, { headers: { accept: "application/json, text/plain;q=0.9" } });
    expect(await cached(path)).toBe(true);
    expect(await cached(path, { accept: "application/ld+json" })).toBe(false);
    expect((await ask(one, path, { headers: { accept: "*/*" } })).headers["x-cache"]).toBe("HIT");
  });
});

describe("the key", () => {
  it.each([
    ["host in capitals, with port and dot", "/fr/archive/4", { host: "SITE.Localhost.:8443" }],
    ["tracking parameters", "/fr/archive/4?utm_source=a&gclid=b&utm_medium=c", {}],
    ["an empty query", "/fr/archive/4?", {}],
  ])("%s: the same object", async (_what, path, headers) => {
    await fill("/fr/archive/4");
    expect(await cached(path, headers)).toBe(true);
  });

  it("sorts parameters and keeps those that mean something", async () => {
    await fill("/fr/archive/4?b=2&a=1&fbclid=x");
    expect(await cached("/fr/archive/4?a=1&b=2")).toBe(true);
    expect(await cached("/fr/archive/4")).toBe(false);
    expect(await cached("/fr/archive/4?a=1")).toBe(false);
  });

  it("keeps sites apart", async () => {
    await fill("/fr/archive/4");
    expect(await cached("/fr/archive/4", { host: "shop.localhost" })).toBe(false);
  });
});

describe("PURGE", () => {
  it("removes one object and says how many", async () => {
    await fill("/fr/archive/5", "/fr/archive/6");
    const answer = await purge("/fr/archive/5");
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "sluice-purged": "1", "sluice-vcl": "1" });
    expect(await cached("/fr/archive/5")).toBe(false);
    expect(await cached("/fr/archive/6")).toBe(true);
    expect((await purge("/fr/archive/5")).headers["sluice-purged"]).toBe("0");
  });

  it("removes all variants", async () => {
    const path = "/api/articles/4182";
    await ask(one, path, { headers: { accept: "application/json" } });
    await ask(one, path, { headers: { accept: "application/ld+json" } });
    await ask(one, path, { headers: { origin: "http://other.example" } });
    expect((await purge(path)).headers["sluice-purged"]).toBe("3");
    expect(await cached(path, { accept: "application/ld+json" })).toBe(false);
  });

  it("soft: serves the old once more, then the new", async () => {
    await fill("/fr/archive/7");
    const answer = await purge("/fr/archive/7", { "sluice-soft": "1" });
    expect(answer.headers["sluice-purged"]).toBe("1");
    const left = await peek("/fr/archive/7");
    expect(left.status).toBe(200);
    expect(Number(left.headers["sluice-ttl"])).toBeLessThanOrEqual(0);
    expect(Number(left.headers["sluice-grace"])).toBeGreaterThan(60);
    expect((await ask(one, "/fr/archive/7")).headers["x-cache"]).toBe("HIT");
    await until(
      "a fresh object",
      async () => Number((await peek("/fr/archive/7")).headers["sluice-ttl"]) > 0,
    );
  });

  it("is exact: the query is another object", async () => {
    await fill("/fr/archive/8", "/fr/archive/8?page=2");
    await purge("/fr/archive/8");
    expect(await cached("/fr/archive/8?page=2")).toBe(true);
  });
});

// The count may hold objects of earlier tests: banned, but not yet worked off by the lurker.
describe("xkey", () => {
  const count = (answer: { headers: Record<string, unknown> }) => Number(answer.headers["sluice-purged"]);

  it("purges by the backend's xkey and by its Cache-Tags", async () => {
    await fill(article.fr, article.en, "/fr/archive/9");
    expect(count(await purge("/", { xkey: `article-${article.id} no-such-tag` }))).toBeGreaterThanOrEqual(2);
    expect(await cached(article.en)).toBe(false);
    expect(count(await purge("/", { xkey: "no-such-tag" }))).toBe(0);
    await fill(article.fr, article.en);
    expect(count(await purge("/", { xkey: `/api/articles/${article.id},/api/none` }))).toBeGreaterThanOrEqual(
      2,
    );
    expect(await cached("/fr/archive/9")).toBe(true);
  });

  it("a tag is not a prefix of another", async () => {
    await fill("/fr/archive/1", "/fr/archive/11");
    expect(count(await purge("/", { xkey: "archive-1" }))).toBeGreaterThanOrEqual(1);
    expect(await cached("/fr/archive/11")).toBe(true);
  });

  it("soft", async () => {
    await fill("/fr/archive/12", "/fr/archive/13");
    expect(count(await purge("/", { "xkey-softpurge": "archive" }))).toBeGreaterThanOrEqual(2);
    expect(Number((await peek("/fr/archive/12")).headers["sluice-ttl"])).toBeLessThanOrEqual(0);
  });

  it.each([
    ["nothing", { xkey: " " }],
    ["only commas", { xkey: ", ," }],
    ["both kinds", { xkey: "a", "xkey-softpurge": "b" }],
  ])("refuses %s", async (_what, headers) => {
    const answer = await purge("/", headers);
    expect(answer.status).toBe(400);
    expect(answer.headers["sluice-vcl"]).toBe("1");
  });
});

describe("BAN", () => {
  it("one host", async () => {
    await fill("/fr/archive/14");
    await ask(one, "/fr/archive/14", { headers: { host: "shop.localhost" } });
    expect((await ban({ "sluice-ban-host": "SITE.localhost" })).status).toBe(200);
    expect(await cached("/fr/archive/14")).toBe(false);
    expect(await cached("/fr/archive/14", { host: "shop.localhost" })).toBe(true);
  });

  it("by regex on the finished url", async () => {
    await fill("/fr/archive/15", "/fr/archive/16", "/en/archive/15", "/fr/archive/15?a=1");
    expect(
      (await ban({ "sluice-ban-host": site, "sluice-ban-regex": "^/fr/archive/15($|\\?)" })).status,
    ).toBe(200);
    expect(await cached("/fr/archive/15")).toBe(false);
    expect(await cached("/fr/archive/15?a=1")).toBe(false);
    expect(await cached("/fr/archive/16")).toBe(true);
    expect(await cached("/en/archive/15")).toBe(true);
  });

  it.each([
    ["no host", {}],
    ["a host with a port", { "sluice-ban-host": "site.localhost:80" }],
    ["a host with a space", { "sluice-ban-host": "site.localhost || obj.status != 0" }],
    ["a host with an ampersand", { "sluice-ban-host": "a&&b" }],
    ["a host with quotes", { "sluice-ban-host": '"a"' }],
    ["an empty host", { "sluice-ban-host": "" }],
    [
      "an expression in the regex",
      { "sluice-ban-host": site, "sluice-ban-regex": "x && obj.http.x-host ~ ." },
    ],
    ["an ampersand in the regex", { "sluice-ban-host": site, "sluice-ban-regex": "x&&obj.status~." }],
    ["a tab in the regex", { "sluice-ban-host": site, "sluice-ban-regex": "x\ty" }],
    ["a quote in the regex", { "sluice-ban-host": site, "sluice-ban-regex": 'x"y' }],
    ["an apostrophe in the regex", { "sluice-ban-host": site, "sluice-ban-regex": "x'y" }],
    ["an empty regex", { "sluice-ban-host": site, "sluice-ban-regex": "" }],
    ["a regex that does not compile", { "sluice-ban-host": site, "sluice-ban-regex": "(" }],
    ["bytes beyond ASCII", { "sluice-ban-host": site, "sluice-ban-regex": "caf\u00e9" }],
    ["everything and a host", { "sluice-ban-all": "1", "sluice-ban-host": site }],
    ["everything by another word", { "sluice-ban-all": "yes" }],
  ])("refuses %s, and bans nothing", async (_what, headers) => {
    await fill("/fr/archive/17");
    const answer = await ban(headers as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(answer.reason.length).toBeGreaterThan(5);
    expect(answer.headers["sluice-vcl"]).toBe("1");
    expect(await cached("/fr/archive/17")).toBe(true);
  });

  it("refuses a header line folded to smuggle a second expression", async () => {
    const said = await raw(
      one,
      `BAN / HTTP/1.1\r\nHost: ${site}\r\nSluice-Ban-Host: ${site}\r\nSluice-Ban-Regex: a\r\n || obj.status != 0\r\nConnection: close\r\n\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 400/);
  });

  it("leaves bans that the lurker works off", async () => {
    await fill("/fr/archive/18");
    await ban({ "sluice-ban-host": site, "sluice-ban-regex": "^/never$" });
    await until(
      "no ban waiting",
      async () => {
        const list = await inContainer("varnish-1", "varnishadm", "-n", "/var/lib/varnish", "ban.list");
        return !/\^\/never/.test(list);
      },
      15_000,
    );
  });
});

describe("who may", () => {
  const address = stack.addresses["varnish-1"];
  const curl = (from: string, method: string, ...headers: string[]) =>
    inContainer(
      from,
      "curl",
      "-s",
      "-o",
      "-",
      "-w",
      "\n%{http_code}",
      "-X",
      method,
      ...headers.flatMap((line) => ["-H", line]),
      `http://${address}/fr/archive/19`,
    );

  it.each(["PURGE", "BAN", "PEEK"])("%s from elsewhere is refused with the reason", async (method) => {
    await fill("/fr/archive/19");
    const said = await curl(
      "nginx",
      method,
      `Host: ${site}`,
      "Sluice-Ban-All: 1",
      "X-Forwarded-For: 127.0.0.1",
    );
    expect(said).toMatch(/403$/);
    expect(said).toContain(String(stack.addresses.nginx));
    expect(await cached("/fr/archive/19")).toBe(true);
  });

  it("an application of acl purgers may purge, but not look", async () => {
    const ask = (method: string) =>
      inContainer(
        "worker",
        "php",
        "-r",
        `
        $c = stream_context_create(["http" => ["method" => "${method}", "header" => "Host: ${site}", "ignore_errors" => true]]);
        file_get_contents("http://${address}/fr/archive/19", false, $c);
        echo $http_response_header[0];`,
      );
    expect(await ask("PURGE")).toContain("200");
    expect(await ask("PEEK")).toContain("403");
  });

  it("through the edge nobody may", async () => {
    expect((await ask(stack.ports.edge, "/fr/archive/19", { method: "PURGE" })).status).toBe(403);
  });

  it("knows no other method", async () => {
    expect((await ask(one, "/", { method: "MKCOL" })).status).toBe(405);
  });
});

describe("good manners", () => {
  it("does not keep the back office, errors, or what a session asks", async () => {
    await ask(one, "/admin");
    expect(await cached("/admin")).toBe(false);
    expect(
      (await ask(one, "/fr/archive/20", { headers: { cookie: "PHPSESSID=abc" } })).headers["x-cache"],
    ).toBe("MISS");
    expect(await cached("/fr/archive/20")).toBe(false);
    await ask(one, "/fr/archive/20", { headers: { cookie: "_ga=1; consent=yes" } });
    expect(await cached("/fr/archive/20")).toBe(true);
  });

  it("keeps a 404 for half a minute at most", async () => {
    await ask(one, "/fr/nothing-here");
    const seen = await peek("/fr/nothing-here");
    expect(Number(seen.headers["sluice-ttl"])).toBeLessThanOrEqual(30);
    expect(seen.headers["sluice-revision"]).toBeUndefined();
    expect(seen.headers["sluice-tags"]).toBeUndefined();
  });
});

describe("the in-flight race", () => {
  it("a fetch begun before the purge stores the old page after it; a second purge removes it", async () => {
    const path = `${article.fr}?delay=1200`;
    await dropFragments();
    const slow = ask(one, path);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const revision = await publish();
    await dropFragments();
    expect((await purge(path)).status).toBe(200);
    expect(Number((await slow).headers["x-revision"])).toBe(revision - 1);
    expect((await peek(path)).headers["sluice-revision"]).toBe(String(revision - 1));
    await ask(stack.ports.nginx, path, { method: "PURGE" });
    expect((await purge(path)).headers["sluice-purged"]).toBe("1");
    expect((await ask(one, path)).headers["x-revision"]).toBe(String(revision));
  });
});

describe("Sluice-Boot", () => {
  const boot = async () => {
    const answer = await peek("/fr/archive/21");
    return answer.headers["sluice-boot"];
  };

  it("stays while the cache stays, over a reload of the VCL too", async () => {
    const before = await boot();
    const admin = (...args: string[]) =>
      inContainer("varnish-1", "varnishadm", "-n", "/var/lib/varnish", ...args);
    await admin("vcl.load", "again", "/etc/varnish/default.vcl");
    await admin("vcl.use", "again");
    expect(await boot()).toBe(before);
    await admin("vcl.use", "boot");
    await until("again discarded", async () => {
      await admin("vcl.discard", "again");
      return true;
    });
    expect(await boot()).toBe(before);
  });

  it("changes when the child was killed", async () => {
    await fill("/fr/archive/21");
    const before = await boot();
    await inContainer(
      "varnish-1",
      "sh",
      "-c",
      // The child's name is its first thread's.
      'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = cache-main ] && kill -9 $(basename $p); done; true',
    );
    const after = await until("the child again", async () => {
      const now = await boot();
      return now !== before && now;
    });
    expect(after).toMatch(/^\d+-\d+$/);
    expect(await cached("/fr/archive/21")).toBe(false);
  });

  it("changes when the container was restarted", async () => {
    const before = await boot();
    await docker("restart", "-t", "3", stack.containers["varnish-1"] ?? "");
    await until("the node again", async () => {
      const now = await boot();
      return now && now !== before;
    });
    await until(
      "healthy again",
      async () =>
        (
          await docker("inspect", "--format", "{{.State.Health.Status}}", stack.containers["varnish-1"] ?? "")
        ).trim() === "healthy",
    );
  }, 60_000);
});
