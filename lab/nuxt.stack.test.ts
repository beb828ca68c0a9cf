// The site that Nuxt renders: from the API, with what the API tells caches, and an error page when there is no API.
import { expect, test } from "vitest";
import { article, ask, docker, dropFragments, publish, stack, until } from "./test-stack";

const { nuxt, edge, varnish1 } = stack.ports;
const host = "app.localhost";
const page = (port: number, path = article.fr) =>
  ask(port, path, { headers: { host, accept: "text/html" }, timeoutMs: 12_000 });
const revisionOf = (body: string) => Number(/<meta name="revision" content="(\d+)"/.exec(body)?.[1]);

test("a page is rendered on the server, with revision, tags and time to live as the API says", async () => {
  const answer = await page(nuxt);
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toMatch(/text\/html/);
  expect(answer.body).toContain("<h1>");
  expect(revisionOf(answer.body)).toBe(Number(answer.headers["x-revision"]));
  expect(answer.headers["cache-control"]).toContain("s-maxage=600");
  expect(answer.headers.xkey).toContain(`article-${article.id}`);
  // What a browser asks for when it follows a link can be purged like the page.
  const followed = await page(nuxt, `/_page?path=${encodeURIComponent(article.fr)}`);
  expect(followed.headers.xkey).toBe(answer.headers.xkey);
  expect(followed.headers["cache-control"]).toBe(answer.headers["cache-control"]);
  expect((await page(nuxt, "/fr/no-such-page")).status).toBe(404);
});

test("visitors reach it through the edge, and Varnish keeps it", async () => {
  expect((await page(edge)).status).toBe(200);
  await page(varnish1);
  const kept = await page(varnish1);
  expect(kept.status).toBe(200);
  expect(Number(kept.headers.age)).toBeGreaterThanOrEqual(0);
  expect(kept.headers["x-cache"] ?? kept.headers["x-varnish"]).toMatch(/HIT|\d+ \d+/i);
});

test("what is published is what it renders", async () => {
  const revision = await publish(article.id, { notify: false });
  await dropFragments();
  expect(revisionOf((await page(nuxt)).body)).toBe(revision);
});

test("without its API it says so, quickly, on its pages and to who asks for its health", async () => {
  const php = stack.containers.php ?? "";
  const health = async () => {
    const answer = await ask(nuxt, "/health", { headers: { host }, timeoutMs: 8000 });
    return { status: answer.status, ...JSON.parse(answer.body) };
  };
  expect(await health()).toEqual({ status: "pass", checks: { api: "pass" } });
  await docker("pause", php);
  try {
    expect(await health()).toMatchObject({ status: "fail", checks: { api: "does not answer" } });
    const answer = await page(nuxt);
    expect(answer.status).toBe(502);
    expect(answer.body).toContain("The API does not answer");
  } finally {
    await docker("unpause", php);
  }
  await until("it is well again", async () => (await health()).status === "pass");
}, 60_000);
