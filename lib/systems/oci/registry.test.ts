// Registries that limit, lie, send us elsewhere or want a token: over a real connection, in the small.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import type { AppError } from "../../errors/app-error";
import { closeConnections } from "../exchange";
import {
  challengeOf,
  headManifest,
  imageDetail,
  listRepositories,
  listTags,
  ping,
  probe,
  pullLimitOf,
  type Registry,
  readManifest,
  tokenAddress,
} from "./registry";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await closeConnections();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Registry> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { name: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, timeout: 500 };
}

const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { digest: `sha256:${"c".repeat(64)}`, size: 10 },
  layers: [
    { digest: `sha256:${"d".repeat(64)}`, size: 100 },
    { digest: `sha256:${"e".repeat(64)}`, size: 23 },
  ],
});
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;

test("challenges, with commas in quotes", () => {
  expect(challengeOf('Bearer realm="https://a/token",service="b",scope="repository:x:pull,push"')).toEqual({
    scheme: "bearer",
    params: { realm: "https://a/token", service: "b", scope: "repository:x:pull,push" },
  });
  expect(challengeOf('basic realm="x"').scheme).toBe("basic");
  expect(challengeOf("").scheme).toBe("");
  expect(challengeOf('Bearer realm="https://a/token",service="b", Basic realm="x"').params.realm).toBe(
    "https://a/token",
  );
  expect(challengeOf('Bearer realm="a \\"quoted\\" one", service=b').params).toEqual({
    realm: 'a "quoted" one',
    service: "b",
  });
});

describe("the token flow", () => {
  const tokens = (good: string) => {
    const seen: string[] = [];
    const registry = serve((request, response) => {
      const { url = "", headers } = request;
      seen.push(`${url} ${headers.authorization ?? "-"}`);
      if (url.startsWith("/token")) {
        if (headers.authorization !== good) response.writeHead(401).end();
        else response.end('{"token":"t1","expires_in":300}');
        return;
      }
      if (headers.authorization !== "Bearer t1") {
        const realm = `http://${headers.host}/token?account=x`;
        response.writeHead(401, {
          "www-authenticate": `Bearer realm="${realm}",service="reg",scope="repository:team/app:pull"`,
        });
        response.end();
        return;
      }
      response.setHeader("docker-content-digest", digest);
      response.end(manifest);
    });
    return { seen, registry };
  };

  test("asks once, and keeps the token for the repository", async () => {
    const { seen, registry } = tokens(`Basic ${Buffer.from("ada:pw").toString("base64")}`);
    const one = { ...(await registry), username: "ada", password: "pw" };
    expect(await headManifest(one, "team/app", "1")).toMatchObject({ digest });
    expect((await readManifest(one, "team/app", "1")).size).toBe(123);
    expect(seen.map((line) => line.split(" ")[0])).toEqual([
      "/v2/team/app/manifests/1",
      "/token?account=x&service=reg&scope=repository%3Ateam%2Fapp%3Apull",
      "/v2/team/app/manifests/1",
      "/v2/team/app/manifests/1",
    ]);
    // The password goes to where tokens are made, never to the registry's own addresses.
    expect(seen.filter((line) => line.includes("/v2/")).join()).not.toContain("Basic");
  });

  test("wrong credentials are said, and stand in no error", async () => {
    const { registry } = tokens("Basic other");
    const one = { ...(await registry), username: "ada", password: "hush-hush" };
    const error = await headManifest(one, "team/app", "1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UPSTREAM_AUTH", detail: { problem: "oci.wrongLogin" } });
    expect(JSON.stringify(error) + String(error)).not.toContain("hush-hush");
  });

  test("a token is not fetched where credentials would be in clear, or from no address", async () => {
    const asking = (realm: string) =>
      serve((_request, response) => {
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();
      });
    for (const [realm, problem] of [
      ["ftp://elsewhere/token", "oci.unsafeRealm"],
      ["elsewhere", "oci.badChallenge"],
      ["", "oci.badChallenge"],
    ] as const)
      await expect(headManifest(await asking(realm), "team/app", "1")).rejects.toMatchObject({
        code: "BAD_ANSWER",
        detail: { problem },
      });
    const plain = { name: "r", url: "http://r", timeout: 500 };
    const safe = { ...plain, url: "https://r" };
    expect(tokenAddress(safe, "https://auth/token").href).toBe("https://auth/token");
    expect(tokenAddress(plain, "http://auth/token").href).toBe("http://auth/token");
    expect(() => tokenAddress(safe, "http://auth/token")).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ problem: "oci.unsafeRealm" }) }),
    );
  });

  test.each([
    ["refused", '{"token":"good"}', "UPSTREAM_AUTH", "oci.loginNeeded"],
    ["none", "{}", "BAD_ANSWER", "oci.noToken"],
    ["a page", "<html>", "BAD_ANSWER", "oci.noToken"],
    ["two headers", '{"token":"a\\r\\nx: y"}', "BAD_ANSWER", "oci.noToken"],
  ])("a token that is %s", async (_what, body, code, problem) => {
    let asked = 0;
    const registry = await serve(({ url, headers }, response) => {
      asked += 1;
      if (url?.startsWith("/token")) response.end(body);
      else
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${headers.host}/token"` }).end();
    });
    await expect(readManifest(registry, "a", "1")).rejects.toMatchObject({ code, detail: { problem } });
    // Never round and round.
    expect(asked).toBeLessThanOrEqual(3);
  });
});

describe("user name and password sent directly", () => {
  const closed = () =>
    serve(({ headers }, response) => {
      if (headers.authorization === `Basic ${btoa("ada:right")}`) response.end(manifest);
      else response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });

  test("missing, wrong, right", async () => {
    const registry = await closed();
    const login = (password: string) => ({ ...registry, username: "ada", password });
    await expect(readManifest(registry, "a", "1")).rejects.toMatchObject({
      detail: { problem: "oci.loginNeeded" },
    });
    const error = await readManifest(login("hush-hush"), "a", "1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UPSTREAM_AUTH", detail: { problem: "oci.wrongLogin" } });
    expect(inspect(error, { depth: 8 })).not.toMatch(new RegExp(`hush-hush|${btoa("ada:hush-hush")}`));
    expect((await readManifest(login("right"), "a", "1")).digest).toBe(digest);
    expect(await probe(login("right"))).toMatchObject({ state: "up", data: { facts: { auth: "basic" } } });
    expect(await probe(login("hush-hush"))).toMatchObject({
      state: "down",
      error: { code: "UPSTREAM_AUTH" },
    });
  });
});

test("a limit says when to come again", async () => {
  const registry = await serve((_request, response) =>
    response.writeHead(429, { "retry-after": "90" }).end(),
  );
  await expect(headManifest(registry, "a", "1")).rejects.toMatchObject({
    code: "UPSTREAM_LIMIT",
    detail: { retryAfterMs: 90_000 },
  });
  const dated = await serve((_request, response) => {
    const at = new Date(Date.now() + 3_600_000).toUTCString();
    response.writeHead(429, { "retry-after": at }).end();
  });
  const error = await ping(dated).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "UPSTREAM_LIMIT", detail: { retryAfterMs: expect.any(Number) } });
  const { retryAfterMs = 0 } = (error as AppError).detail;
  expect(retryAfterMs).toBeGreaterThan(3_500_000);
  expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
});

test("how many pulls are left, and a digest that a HEAD does not tell", async () => {
  const methods: (string | undefined)[] = [];
  const registry = await serve(({ method }, response) => {
    methods.push(method);
    response.setHeader("ratelimit-remaining", "76;w=21600");
    response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8");
    response.end(method === "HEAD" ? "" : manifest);
  });
  expect(await headManifest(registry, "a", "1")).toEqual({
    digest,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    limit: { remaining: 76, windowS: 21600 },
  });
  expect(methods).toEqual(["HEAD", "GET"]);
  expect(pullLimitOf({ "ratelimit-remaining": "5" })).toEqual({ remaining: 5, windowS: null });
  expect(pullLimitOf({ "ratelimit-remaining": "many" })).toBeNull();
  expect(pullLimitOf({})).toBeNull();
});

test("what is no name is sent nowhere", async () => {
  const asked: string[] = [];
  const registry = await serve(({ url = "" }, response) => {
    asked.push(url);
    response.end(manifest);
  });
  for (const [repository, tag] of [
    ["../_catalog", "1"],
    ["a?b", "1"],
    ["A", "1"],
    ["", "1"],
    ["a", "../x"],
    ["a", ""],
    ["a", "sha256:abc"],
  ] as const)
    await expect(readManifest(registry, repository, tag)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(listTags(registry, "a/../b")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  expect(asked).toEqual([]);
});

test("an answer without end is not read to it", async () => {
  const registry = await serve((_request, response) => {
    response.on("error", () => {});
    response.end(Buffer.alloc(4 * 1024 * 1024 + 1, 32));
  });
  await expect(readManifest({ ...registry, timeout: 5000 }, "a", "1")).rejects.toMatchObject({
    code: "BAD_ANSWER",
  });
});

test("a manifest that is not what its digest says, garbage, a page, silence", async () => {
  const lying = await serve((_request, response) => {
    response.setHeader("docker-content-digest", `sha256:${"0".repeat(64)}`);
    response.end(manifest);
  });
  await expect(readManifest(lying, "a", "1")).rejects.toMatchObject({
    detail: { problem: "oci.wrongDigest" },
  });
  const page = await serve((_request, response) => response.end("<html>"));
  await expect(readManifest(page, "a", "1")).rejects.toMatchObject({
    detail: { problem: "oci.badManifest" },
  });
  await expect(listRepositories(page)).rejects.toMatchObject({ detail: { problem: "oci.badCatalog" } });
  // Many a web server has a page for every address.
  await expect(ping(page)).rejects.toMatchObject({ detail: { problem: "oci.noRegistry" } });
  await expect(readManifest(lying, "a", `sha256:${"0".repeat(64)}`)).rejects.toMatchObject({
    code: "BAD_ANSWER",
    detail: { problem: "oci.wrongDigest" },
  });
  await expect(listTags(page, "a")).rejects.toMatchObject({ detail: { problem: "oci.badTags" } });
  const other = await serve((_request, response) => response.writeHead(500).end());
  await expect(ping(other)).rejects.toMatchObject({ detail: { problem: "oci.noRegistry" } });
  const silent = await serve(() => {});
  await expect(headManifest(silent, "a", "1")).rejects.toMatchObject({ code: "TIMEOUT" });
  const none = await serve((_request, response) => response.writeHead(404).end());
  await expect(headManifest(none, "a", "1")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("tags page after page, and never to another place", async () => {
  const other = await serve(() => {
    throw new Error("nobody comes here");
  });
  const asked: string[] = [];
  const registry = await serve((request, response) => {
    asked.push(request.url ?? "");
    const last = new URL(request.url ?? "", "http://x").searchParams.get("last");
    if (last === null) response.setHeader("link", '</base/v2/a/tags/list?n=1000&last=2>; rel="next"');
    else response.setHeader("link", `<${other.url}/base/v2/a/tags/list?last=9>; rel="next"`);
    response.end(JSON.stringify({ tags: last === null ? ["1", "2"] : ["3"] }));
  });
  const below = { ...registry, url: `${registry.url}/base/` };
  // There is more, but elsewhere.
  expect(await listTags(below, "a")).toEqual({ tags: ["1", "2", "3"], whole: false });
  expect(asked).toEqual(["/base/v2/a/tags/list?n=1000", "/base/v2/a/tags/list?n=1000&last=2"]);
  expect(await listTags(below, "a", 2)).toEqual({ tags: ["1", "2"], whole: false });
});

test("pages come to an end", async () => {
  let page = 0;
  const registry = await serve(({ url = "" }, response) => {
    page += 1;
    response.setHeader("link", `<${url}>; rel=next`);
    response.end(JSON.stringify({ tags: url.includes("/same/") ? ["1"] : [`1.${page}`] }));
  });
  expect(await listTags(registry, "same/app")).toEqual({ tags: ["1"], whole: false });
  expect(page).toBe(2);
  expect((await listTags(registry, "team/app")).whole).toBe(false);
  expect(page).toBeLessThan(100);
  const last = await serve((_request, response) => response.end('{"tags":["1","2"]}'));
  expect(await listTags(last, "a", 2)).toEqual({ tags: ["1", "2"], whole: true });
  expect(await listTags(last, "a", 1)).toEqual({ tags: ["1"], whole: false });
});

test("repositories, where they are told", async () => {
  const open = await serve((_request, response) => response.end('{"repositories":["a","b/c"]}'));
  expect(await listRepositories(open)).toEqual({ repositories: ["a", "b/c"], whole: true });
  for (const status of [401, 403, 404]) {
    const shared = await serve((_request, response) =>
      response.writeHead(status, { "www-authenticate": 'Basic realm="x"' }).end(),
    );
    expect(await listRepositories(shared)).toBeNull();
  }
});

describe("a configuration", () => {
  const linux = { os: "linux", architecture: "amd64" };
  const blob = JSON.stringify({ created: "2026-01-02T03:04:05Z", config: { Env: ["A=1"] } });
  const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const image = JSON.stringify({
    schemaVersion: 2,
    config: { digest: digestOf(blob), size: blob.length },
    layers: [{ digest: `sha256:${"d".repeat(64)}`, size: 123 }],
  });
  const known = { createdAt: "2026-01-02T03:04:05.000Z", env: ["A=1"], labels: {} };
  const unknown = { imageId: digestOf(blob), size: 123, createdAt: null, env: null, labels: null };

  /** A registry with a token, whose blobs are at `location`. */
  const registryWith = (location: (base: string) => string) =>
    serve(({ url = "", headers }, response) => {
      if (url.startsWith("/token")) response.end('{"token":"t1"}');
      else if (headers.authorization !== "Bearer t1")
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${headers.host}/token"` }).end();
      else if (url === "/moved") response.end(blob);
      else if (url.includes("/blobs/"))
        response.writeHead(307, { location: location(`http://${headers.host}`) }).end();
      else response.end(image);
    });

  test("that is kept elsewhere is fetched there without our token", async () => {
    const seen: IncomingMessage[] = [];
    const storage = await serve((request, response) => {
      seen.push(request);
      if (request.url === "/first") response.writeHead(302, { location: "/second?signature=x%2Fy" }).end();
      else response.end(blob);
    });
    const registry = await registryWith(() => `${storage.url}/first`);
    const one = { ...registry, username: "ada", password: "pw" };
    expect(await imageDetail(one, "a", "1", linux)).toMatchObject(known);
    expect(seen.map(({ url }) => url)).toEqual(["/first", "/second?signature=x%2Fy"]);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test("that was moved within the registry is fetched with it", async () => {
    expect(await imageDetail(await registryWith((base) => `${base}/moved`), "a", "1", linux)).toMatchObject(
      known,
    );
  });

  test.each([
    ["nowhere", () => ""],
    ["no HTTP", () => "ftp://127.0.0.1/x"],
    ["round and round", (base: string) => `${base}/v2/a/blobs/again`],
    ["a closed door", () => "http://127.0.0.1:9/x"],
  ])("that is not to be had is no failure: %s", async (_what, location) => {
    expect(await imageDetail(await registryWith(location), "a", "1", linux)).toMatchObject(unknown);
  });

  test("that is not what its digest says is not believed", async () => {
    const storage = await serve((_request, response) => response.end('{"created":"1999-01-01T00:00:00Z"}'));
    const registry = await registryWith(() => `${storage.url}/x`);
    expect(await imageDetail(registry, "a", "1", linux)).toMatchObject(unknown);
  });

  test("that is no longer wanted is CANCELLED", async () => {
    const control = new AbortController();
    const storage = await serve(() => control.abort());
    const registry = await registryWith(() => `${storage.url}/x`);
    await expect(imageDetail(registry, "a", "1", linux, control.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });
});
