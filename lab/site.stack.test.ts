// The site: what it serves, how long an edit stays hidden, and what it tells the gateway.
import net from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  article,
  ask,
  docker,
  dropFragments,
  json,
  publish,
  redis,
  revisionOf,
  site,
  stack,
  until,
} from "./test-stack";

const { origin, nginx, varnish1, edge } = stack.ports;

describe("pages", () => {
  it("show their revision, in both languages", async () => {
    await dropFragments();
    const fr = await ask(origin, article.fr);
    const revision = revisionOf(fr);
    expect(fr.body).toContain(`<meta name="revision" content="${revision}">`);
    expect(fr.body).toContain(`révision ${revision}`);
    expect((await ask(origin, article.en)).body).toContain(`revision ${revision}`);
    expect(fr.headers.link).toContain(`<${article.en}>; rel="alternate"; hreflang="en"`);
    expect(fr.headers["cache-control"]).toMatch(/max-age=60.*s-maxage=600.*stale-while-revalidate=60/);
  });

  it("answer as a Roadiz API does", async () => {
    const answer = await ask(origin, "/api/web_response_by_path?path=%2Ffr%2Fevenements");
    const body = JSON.parse(answer.body) as {
      item: { revision: number };
      blocks: unknown[];
      alternates: unknown[];
    };
    expect(body.item.revision).toBe(revisionOf(answer));
    expect(body.blocks.length).toBeGreaterThan(29);
    expect(body.alternates).toContainEqual({ locale: "en", url: "/en/events" });
    expect(answer.headers.vary).toBe("Accept, Authorization, Origin, Accept-Encoding, Content-Type");
    expect(answer.headers["cache-tags"]).toContain("/api/articles/4182");
    expect(answer.headers.xkey).toContain("list-articles");
    expect((await ask(origin, "/api/common_content?_locale=fr")).status).toBe(200);
  });

  it("send a trailing slash away, to the same server only", async () => {
    const answer = await ask(edge, "/fr/evenements/?a=1");
    expect([answer.status, answer.headers.location]).toEqual([301, "/fr/evenements?a=1"]);
    expect((await ask(origin, "//other.example/")).headers.location ?? "").not.toMatch(/^\/\//);
  });

  it.each(["/fr", "/en/events", "/fr/archive/20000", "/sitemap.xml", "/media/affiche.svg", "/admin"])(
    "%s",
    async (path) => {
      expect((await ask(origin, path)).status).toBe(200);
    },
  );

  it.each(["/fr/nothing", "/fr/archive/20001", "/fr/archive/0", "/media/nothing.svg", "/media/autoload.php"])(
    "%s is not there",
    async (path) => {
      expect((await ask(origin, path)).status).toBe(404);
    },
  );

  it("another site is another site", async () => {
    expect((await ask(origin, "/fr", { headers: { host: "shop.localhost" } })).body).toContain("La Remise");
    expect((await ask(origin, "/fr", { headers: { host: "unknown.localhost" } })).status).toBe(404);
  });

  it("can be slow", async () => {
    const start = performance.now();
    await ask(origin, "/fr/evenements?delay=300");
    expect(performance.now() - start).toBeGreaterThan(290);
  });
});

describe("an edit", () => {
  it("is hidden by every layer until each is purged, from the inside out", async () => {
    const { fr } = article;
    await publish();
    await dropFragments();
    await ask(nginx, fr, { method: "PURGE" });
    for (const port of [varnish1, stack.ports.varnish2]) await ask(port, fr, { method: "PURGE" });
    await ask(stack.ports.cloudflareControl, "/reset", json({ cache: true }));
    const old = revisionOf(await ask(edge, fr));
    const seen = async () => ({
      origin: revisionOf(await ask(origin, fr)),
      nginx: revisionOf(await ask(nginx, fr)),
      varnish: revisionOf(await ask(varnish1, fr)),
      edge: revisionOf(await ask(edge, fr)),
    });
    expect(await seen()).toEqual({ origin: old, nginx: old, varnish: old, edge: old });

    const fresh = await publish();
    expect(fresh).toBe(old + 1);
    expect(await seen()).toEqual({ origin: old, nginx: old, varnish: old, edge: old });
    expect(await redis("del", `fragment:${site}:fr:${fr}`)).toContain("1");
    expect(await seen()).toEqual({ origin: fresh, nginx: old, varnish: old, edge: old });
    expect((await ask(nginx, fr, { method: "PURGE" })).status).toBe(200);
    expect(await seen()).toEqual({ origin: fresh, nginx: fresh, varnish: old, edge: old });
    for (const port of [varnish1, stack.ports.varnish2]) await ask(port, fr, { method: "PURGE" });
    expect(await seen()).toEqual({ origin: fresh, nginx: fresh, varnish: fresh, edge: old });
    await ask(stack.ports.cloudflareControl, "/reset", json({ cache: true }));
    expect(await seen()).toEqual({ origin: fresh, nginx: fresh, varnish: fresh, edge: fresh });
  });

  it("Nginx takes a PURGE from the configured network only", async () => {
    const said = await docker(
      "exec",
      stack.containers.edge ?? "",
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "-X",
      "PURGE",
      "-H",
      `Host: ${site}`,
      `http://${stack.addresses.nginx}:8080${article.fr}`,
    );
    expect(said).toBe("403");
  });

  it("by the form: a draft changes nothing, publishing does", async () => {
    const path = "/admin/articles/4170";
    const before = JSON.parse((await ask(origin, "/admin/articles.json")).body) as {
      id: number;
      revision: number;
    }[];
    const old = before.find((one) => one.id === 4170)?.revision ?? 0;
    const post = (fields: Record<string, string>, cookie = "") =>
      ask(edge, path, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...(cookie ? { cookie } : {}) },
        body: new URLSearchParams(fields).toString(),
      });
    const fields = { fr_title: "Titre <b>", en_title: "Title", fr_body: "a", en_body: "b" };
    const saved = await post({ ...fields, action: "save" });
    expect([saved.status, saved.headers.location]).toEqual([303, path]);
    const cookie = saved.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    expect(saved.headers["set-cookie"]?.[0]).toMatch(/path=\/admin/);
    const form = await ask(edge, path, { headers: { cookie } });
    expect(form.body).toContain("Draft saved");
    expect(form.body).toContain("Titre &lt;b&gt;");
    expect(form.body).toContain(`revision ${old}`);
    await post({ ...fields, action: "publish" });
    expect((await ask(edge, path)).body).toContain(`revision ${old + 1}`);
  });

  it("refuses a wrong dialect and an unknown article", async () => {
    expect((await ask(origin, "/admin/articles/4182/publish", json({ dialect: "shout" }))).status).toBe(400);
    expect((await ask(origin, "/admin/articles/1/publish", json({}))).status).toBe(404);
    expect((await ask(origin, "/admin/articles/5200/publish", json({}))).status).toBe(404);
  });

  it("the archive as a whole", async () => {
    const before = revisionOf(await ask(origin, "/fr/archive/5"));
    const answer = await ask(origin, "/admin/archive/publish", json({}));
    expect(JSON.parse(answer.body)).toEqual({ revision: before + 1 });
    expect(revisionOf(await ask(origin, "/en/archive/19999"))).toBe(before + 1);
  });
});

describe("the gateway is told", () => {
  // Written on bytes: Node's HTTP parser knows no BAN.
  const heard: string[] = [];
  let answers: number[] = [];
  let port = 0;
  const server = net.createServer((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      heard.push(text);
      const status = answers.shift() ?? 200;
      socket.end(`HTTP/1.1 ${status} Lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
    socket.on("error", () => {});
  });
  const gateway = (url: string | null) => ask(origin, "/admin/settings", json({ gateway: url }));

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, stack.bridgeAddress, resolve));
    port = (server.address() as net.AddressInfo).port;
    expect((await gateway(`http://host.docker.internal:${port}`)).status).toBe(200);
  });
  beforeEach(() => {
    heard.length = 0;
    answers = [];
  });
  afterAll(async () => {
    await gateway(null);
    server.close();
  });

  it.each([
    ["roadiz", [/^PURGE \/fr\/grande-soiree-d-ete HTTP/]],
    ["roadiz-everything", [/^BAN \/ HTTP/]],
    [
      "api-platform",
      [/^BAN \/ HTTP/, /apiplatform-ban-regex: \(\/api\/articles\/4182\|\/api\/articles\)\(\$\|\\,\)/i],
    ],
    ["xkey", [/^PURGE \/ HTTP/, /\r\nxkey: article-4182 list-articles\r/i]],
    ["surrogate-key", [/^PURGE \/ HTTP/, /\r\nsurrogate-key: article-4182 list-articles\r/i]],
    [
      "x-cache-tags",
      [/^BAN \/ HTTP/, /\r\nx-cache-tags: \(\^\|,\)\(article\\-4182\|list\\-articles\)\(,\|\$\)\r/i],
    ],
  ])("in the words of %s", async (dialect, expected) => {
    await publish(article.id, { notify: true, dialect });
    const message = await until("the message", async () => heard[0]);
    for (const pattern of expected) expect(message).toMatch(pattern);
    expect(message).toMatch(new RegExp(`\\r\\nhost: ${site}\\r`, "i"));
  });

  it("not, when it is not to be", async () => {
    await publish(article.id, { notify: false });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(heard).toEqual([]);
  });

  it("also after its database was away", async () => {
    await docker("restart", "--time", "5", stack.containers.mariadb ?? "");
    await until(
      "the site has its database again",
      async () => (await ask(origin, "/health")).status === 200,
      30_000,
    );
    await publish(article.id, { notify: true, dialect: "xkey" });
    await until("the message", async () => heard[0]);
  }, 60_000);

  it("again, when it failed", async () => {
    answers = [503, 503, 200];
    await publish(article.id, { notify: true });
    await until("three messages", async () => heard.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(heard.length).toBe(3);
  });
});
