// Registries that limit, lie, send us elsewhere or want a token: over a real connection, in the small.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { closeConnections } from "../exchange";
import {
  challengeOf,
  headManifest,
  imageDetail,
  listTags,
  ping,
  type Registry,
  readManifest,
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
    expect(await headManifest(one, "team/app", "1")).toBe(digest);
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

  test("a token is not fetched over plain HTTP for a registry with TLS", async () => {
    const registry = await serve((_request, response) => {
      response.writeHead(401, { "www-authenticate": 'Bearer realm="ftp://elsewhere/token"' }).end();
    });
    await expect(headManifest(registry, "team/app", "1")).rejects.toMatchObject({
      detail: { problem: "oci.unsafeRealm" },
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
  await expect(listTags(page, "a")).rejects.toMatchObject({ detail: { problem: "oci.badTags" } });
  const other = await serve((_request, response) => response.writeHead(500).end());
  await expect(ping(other)).rejects.toMatchObject({ detail: { problem: "oci.noRegistry" } });
  const silent = await serve(() => {});
  await expect(headManifest(silent, "a", "1")).rejects.toMatchObject({ code: "TIMEOUT" });
  const none = await serve((_request, response) => response.writeHead(404).end());
  await expect(headManifest(none, "a", "1")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("tags page after page, and never to another place", async () => {
  const registry = await serve((request, response) => {
    const last = new URL(request.url ?? "", "http://x").searchParams.get("last");
    if (last === null) response.setHeader("link", '</v2/a/tags/list?n=1000&last=2>; rel="next"');
    else response.setHeader("link", '<https://elsewhere.example/v2/a/tags/list?last=9>; rel="next"');
    response.end(JSON.stringify({ tags: last === null ? ["1", "2"] : ["3"] }));
  });
  expect(await listTags(registry, "a")).toEqual({ tags: ["1", "2", "3"], whole: true });
  expect(await listTags(registry, "a", 2)).toEqual({ tags: ["1", "2"], whole: false });
});

test("a date that is not to be had is no failure", async () => {
  const registry = await serve((request, response) => {
    if (request.url?.includes("/blobs/"))
      response.writeHead(307, { location: "https://elsewhere.example/x" }).end();
    else response.end(manifest);
  });
  const detail = await imageDetail(registry, "a", "1", { os: "linux", architecture: "amd64" });
  expect(detail).toMatchObject({ digest, platformDigest: digest, size: 123, createdAt: null });
});
