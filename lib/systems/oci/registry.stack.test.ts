// Against Debian's own registry, open and with a sign-in.
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeConnections } from "../exchange";
import {
  headManifest,
  imageDetail,
  listRepositories,
  listTags,
  ping,
  probe,
  type Registry,
  readManifest,
} from "./registry";
import { dockerManifest, login, startTestRegistry, type TestRegistry } from "./test-registry";

const config = {
  created: "2026-01-02T03:04:05Z",
  config: { Env: ["A=1"], Labels: { "org.opencontainers.image.version": "1.0" } },
};

// Needs no reference stack: without docker-registry it fails, and says so.
describe("a registry", () => {
  let open: TestRegistry;
  let closed: TestRegistry;
  beforeAll(async () => {
    open = await startTestRegistry();
    closed = await startTestRegistry({ auth: true });
  });
  afterAll(async () => {
    await closeConnections();
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
    const one = await open.pushImage("team/app", "1.0", { layer: "first", config });
    await open.pushImage("team/app", "1.1", { config });
    expect(await ping(at(open))).toEqual({ version: "registry/2.0", auth: "none" });
    const same = { digest: one.digest, mediaType: dockerManifest };
    expect(await headManifest(at(open), "team/app", "1.0")).toEqual({ ...same, limit: null });
    expect(await readManifest(at(open), "team/app", "1.0")).toEqual({
      ...same,
      platforms: null,
      size: one.size,
      config: one.config,
      createdAt: null,
    });
    expect(await imageDetail(at(open), "team/app", "1.0", linux)).toEqual({
      digest: one.digest,
      platformDigest: one.digest,
      imageId: one.config,
      size: one.size,
      createdAt: "2026-01-02T03:04:05.000Z",
      env: ["A=1"],
      labels: { "org.opencontainers.image.version": "1.0" },
    });
    expect((await listTags(at(open), "team/app")).tags.sort()).toEqual(["1.0", "1.1"]);
    await expect(headManifest(at(open), "team/app", "9")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(listTags(at(open), "team/none")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("tags and repositories, all or the first few", async () => {
    const tags = Array.from({ length: 7 }, (_, index) => `1.${index}`);
    for (const tag of tags) await open.pushImage("team/many", tag);
    const { tags: told, whole } = await listTags(at(open), "team/many");
    expect({ tags: told.sort(), whole }).toEqual({ tags, whole: true });
    const some = await listTags(at(open), "team/many", 3);
    expect(some).toMatchObject({ tags: { length: 3 }, whole: false });
    await open.pushImage("another/app", "1");
    const all = await listRepositories(at(open));
    expect(all?.repositories).toEqual(expect.arrayContaining(["another/app", "team/many"]));
    expect(await listRepositories(at(open), 1)).toEqual({ repositories: ["another/app"], whole: false });
  });

  test("of several platforms, ours", async () => {
    const ours = await open.pushImage("team/multi", "amd", { layer: "for amd64", config });
    const other = await open.pushImage("team/multi", "arm", { config: { architecture: "arm64" } });
    const arm = { os: "linux", architecture: "arm64", variant: "v8" };
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        { mediaType: dockerManifest, digest: ours.digest, size: ours.bytes, platform: linux },
        { mediaType: dockerManifest, digest: other.digest, size: other.bytes, platform: arm },
      ],
      annotations: { "org.opencontainers.image.created": "2026-02-03T04:05:06Z" },
    };
    const digest = await open.pushManifest("team/multi", "1", index, index.mediaType);
    expect(await readManifest(at(open), "team/multi", "1")).toEqual({
      digest,
      mediaType: index.mediaType,
      platforms: [
        { ...linux, digest: ours.digest },
        { ...arm, digest: other.digest },
      ],
      size: null,
      config: null,
      createdAt: "2026-02-03T04:05:06.000Z",
    });
    expect(await imageDetail(at(open), "team/multi", digest, linux)).toMatchObject({
      digest,
      platformDigest: ours.digest,
      imageId: ours.config,
      createdAt: "2026-01-02T03:04:05.000Z",
    });
    expect(await imageDetail(at(open), "team/multi", "1", arm)).toMatchObject({
      platformDigest: other.digest,
    });
    await expect(
      imageDetail(at(open), "team/multi", "1", { os: "linux", architecture: "s390x" }),
    ).rejects.toMatchObject({ code: "NOT_FOUND", detail: { problem: "oci.noPlatform" } });
  });

  test("a sign-in: none, wrong, right", async () => {
    const one = await closed.pushImage("private/app", "1", { config });
    const [wrong, right] = [at(closed, { ...login, password: "not-the-password" }), at(closed, login)];
    expect(await ping(at(closed))).toEqual({ version: "registry/2.0", auth: "basic" });
    await expect(headManifest(at(closed), "private/app", "1")).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
      detail: { problem: "oci.loginNeeded" },
    });
    expect(await listRepositories(at(closed))).toBeNull();
    const refused = await headManifest(wrong, "private/app", "1").catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "UPSTREAM_AUTH", detail: { problem: "oci.wrongLogin" } });
    expect(inspect(refused, { depth: 8 })).not.toContain("not-the-password");
    await expect(listRepositories(wrong)).rejects.toMatchObject({ detail: { problem: "oci.wrongLogin" } });
    expect(await headManifest(right, "private/app", "1")).toMatchObject({ digest: one.digest });
    expect(await imageDetail(right, "private/app", "1", linux)).toMatchObject({ imageId: one.config });
    expect(await listRepositories(right)).toEqual({ repositories: ["private/app"], whole: true });
  });

  test("a probe is well only with good credentials", async () => {
    expect(await probe(at(open))).toMatchObject({ state: "up", data: { facts: { auth: "none" } } });
    expect(await probe(at(closed, login))).toMatchObject({ state: "up", data: { facts: { auth: "basic" } } });
    expect(await probe(at(closed, { ...login, password: "no" }))).toMatchObject({
      state: "down",
      error: { code: "UPSTREAM_AUTH" },
    });
  });
});
