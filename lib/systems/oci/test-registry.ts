// For tests only: Debian's docker-registry on a free port, with or without a sign-in, and images to put into it.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export type TestRegistry = {
  readonly port: number;
  readonly url: string;
  /** host:port as it stands in images' names. */
  readonly name: string;
  /** Puts a manifest (of what `pushBlob` gave) under a tag or its digest; answers its digest. */
  pushManifest(repository: string, reference: string, manifest: object, type: string): Promise<string>;
  pushBlob(repository: string, bytes: Buffer): Promise<{ digest: string; size: number }>;
  /** Puts an image of one layer under a tag. It is there to be read, not to be run: the layer is no archive. */
  pushImage(repository: string, tag: string, image?: TestImage): Promise<PushedImage>;
  stop(): Promise<void>;
};

export type TestImage = {
  readonly layer?: string;
  /** Over what its configuration says by default. */
  readonly config?: Readonly<Record<string, unknown>>;
};

export type PushedImage = {
  /** Of the manifest, and its bytes. */
  readonly digest: string;
  readonly bytes: number;
  /** Of the configuration: the image's id. */
  readonly config: string;
  /** Bytes of the layer. */
  readonly size: number;
};

export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

/** The one user of a registry with a sign-in, and their password as bcrypt. */
export const login = { username: "ada", password: "lovelace" };

const bcrypt = "$2b$04$ZEDjvaDgLpF03Vw1fp3Q0.tr0mlE8Kj3Q94PuxqoAp3Cgsykx/1eG";

/** The port that it says it listens on: it chose a free one itself. Rejects when it cannot be started or ends before. */
const portOf = (child: ChildProcessByStdio<null, null, Readable>): Promise<number> =>
  new Promise((resolve, reject) => {
    const said: string[] = [];
    const missing = "docker-registry cannot be started (Debian's package docker-registry)";
    child.once("error", (error) => reject(new Error(`${missing}: ${error.message}`)));
    child.once("close", (code) => reject(new Error(`docker-registry ended (${code}):\n${said.join("\n")}`)));
    // Read to the end: a full pipe would hold it up.
    createInterface(child.stderr).on("line", (line) => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
      if (said.length < 50) said.push(line);
    });
  });

/** Starts one of its own, empty. Throws when docker-registry is missing. */
export async function startTestRegistry({ auth = false } = {}): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-registry-"));
  await writeFile(join(dir, "htpasswd"), `${login.username}:${bcrypt}\n`);
  await writeFile(
    join(dir, "config.yml"),
    JSON.stringify({
      version: 0.1,
      log: { level: "info", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0" },
      ...(auth ? { auth: { htpasswd: { realm: "test", path: join(dir, "htpasswd") } } } : {}),
    }),
  );
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const port = await portOf(child).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const headers: Record<string, string> = auth
    ? { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}` }
    : {};
  const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const good = (answer: Response) => {
    if (!answer.ok) throw new Error(`the test's registry answered ${answer.status}`);
    return answer;
  };
  const pushBlob: TestRegistry["pushBlob"] = async (repository, bytes) => {
    const digest = digestOf(bytes);
    const begun = good(await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers }));
    const target = new URL(begun.headers.get("location") ?? "", url);
    target.searchParams.set("digest", digest);
    good(
      await fetch(target, {
        method: "PUT",
        headers: { ...headers, "content-type": "application/octet-stream" },
        body: new Uint8Array(bytes),
      }),
    );
    return { digest, size: bytes.length };
  };
  const pushManifest: TestRegistry["pushManifest"] = async (repository, reference, manifest, type) => {
    const body = JSON.stringify(manifest);
    good(
      await fetch(`${url}/v2/${repository}/manifests/${reference}`, {
        method: "PUT",
        headers: { ...headers, "content-type": type },
        body,
      }),
    );
    return digestOf(Buffer.from(body));
  };
  return {
    port,
    url,
    name: `127.0.0.1:${port}`,
    pushBlob,
    pushManifest,
    async pushImage(repository, tag, image = {}) {
      const layer = await pushBlob(repository, Buffer.from(image.layer ?? `${repository}:${tag}`));
      const said = { architecture: "amd64", os: "linux", rootfs: {}, ...image.config };
      const config = await pushBlob(repository, Buffer.from(JSON.stringify(said)));
      const manifest = {
        schemaVersion: 2,
        mediaType: dockerManifest,
        config: { mediaType: "application/vnd.docker.container.image.v1+json", ...config },
        layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", ...layer }],
      };
      const digest = await pushManifest(repository, tag, manifest, dockerManifest);
      return { digest, bytes: JSON.stringify(manifest).length, config: config.digest, size: layer.size };
    },
    async stop() {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
