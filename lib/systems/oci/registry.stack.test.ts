// Against Debian's own registry, open and with a sign-in.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testStack } from "../test-stack";
import { headManifest, imageDetail, listTags, ping, type Registry } from "./registry";
import { login, startTestRegistry, type TestRegistry } from "./test-registry";

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

async function push(registry: TestRegistry, repository: string, tag: string, content: string) {
  const layer = await registry.pushBlob(repository, Buffer.from(content));
  const config = await registry.pushBlob(
    repository,
    Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        created: "2026-01-02T03:04:05Z",
        rootfs: {},
        config: { Env: ["A=1"] },
      }),
    ),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.docker.container.image.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", ...layer }],
  };
  const digest = await registry.pushManifest(repository, tag, manifest, manifestType);
  return { digest, config: config.digest, bytes: JSON.stringify(manifest).length, size: layer.size };
}

describe.skipIf(!testStack())("a registry", () => {
  let open: TestRegistry;
  let closed: TestRegistry;
  beforeAll(async () => {
    open = await startTestRegistry();
    closed = await startTestRegistry({ auth: true });
  });
  afterAll(async () => {
    await open?.stop();
    await closed?.stop();
  });
  const at = (one: TestRegistry, more: Partial<Registry> = {}): Registry => ({
    name: one.name,
    url: one.url,
    timeout: 3000,
    ...more,
  });
  const linux = { os: "linux", architecture: "amd64" };

  test("a tag's digest, its image for a platform, its date and size", async () => {
    const one = await push(open, "team/app", "1.0", "first");
    await push(open, "team/app", "1.1", "second");
    expect(await ping(at(open))).toEqual({ auth: "none" });
    expect(await headManifest(at(open), "team/app", "1.0")).toBe(one.digest);
    expect(await imageDetail(at(open), "team/app", "1.0", linux)).toEqual({
      digest: one.digest,
      platformDigest: one.digest,
      imageId: one.config,
      size: one.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      env: ["A=1"],
      labels: {},
    });
    expect((await listTags(at(open), "team/app")).tags.sort()).toEqual(["1.0", "1.1"]);
    await expect(headManifest(at(open), "team/app", "9")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(listTags(at(open), "team/none")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("of several platforms, ours", async () => {
    const one = await push(open, "team/multi", "amd", "for amd64");
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
      manifests: [{ mediaType: manifestType, digest: one.digest, size: one.bytes, platform: linux }],
    };
    const digest = await open.pushManifest("team/multi", "1", index, index.mediaType);
    const detail = await imageDetail(at(open), "team/multi", "1", linux);
    expect(detail).toMatchObject({ digest, platformDigest: one.digest });
    await expect(
      imageDetail(at(open), "team/multi", "1", { os: "linux", architecture: "s390x" }),
    ).rejects.toMatchObject({
      detail: { problem: "oci.noPlatform" },
    });
  });

  test("a sign-in: none, wrong, right", async () => {
    await push(closed, "private/app", "1", "secret");
    expect(await ping(at(closed))).toEqual({ auth: "basic" });
    await expect(headManifest(at(closed), "private/app", "1")).rejects.toMatchObject({
      detail: { problem: "oci.loginNeeded" },
    });
    await expect(
      headManifest(at(closed, { username: "ada", password: "wrong" }), "private/app", "1"),
    ).rejects.toMatchObject({ detail: { problem: "oci.denied" } });
    expect(await headManifest(at(closed, login), "private/app", "1")).toMatch(/^sha256:/);
  });
});
