// For tests only: Debian's docker-registry on a free port, with or without a sign-in, and images to put into it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "../test-stack";

export type TestRegistry = {
  readonly port: number;
  readonly url: string;
  /** host:port as it stands in images' names. */
  readonly name: string;
  /** Puts a manifest (of what `pushBlob` gave) under a tag; answers its digest. */
  pushManifest(repository: string, reference: string, manifest: object, type: string): Promise<string>;
  pushBlob(repository: string, bytes: Buffer): Promise<{ digest: string; size: number }>;
  stop(): Promise<void>;
};

/** The one user of a registry with a sign-in, and their password as bcrypt. */
export const login = { username: "ada", password: "lovelace" };

const bcrypt = "$2b$04$ZEDjvaDgLpF03Vw1fp3Q0.tr0mlE8Kj3Q94PuxqoAp3Cgsykx/1eG";

export async function startTestRegistry({ auth = false } = {}): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-registry-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await writeFile(join(dir, "htpasswd"), `${login.username}:${bcrypt}\n`);
  await writeFile(
    join(dir, "config.yml"),
    JSON.stringify({
      version: 0.1,
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
      ...(auth ? { auth: { htpasswd: { realm: "test", path: join(dir, "htpasswd") } } } : {}),
    }),
  );
  const child = spawn("docker-registry", ["serve", join(dir, "config.yml")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let failure: Error | null = null;
  child.once("error", (error) => {
    failure = new Error(
      `docker-registry cannot be started (Debian's package docker-registry): ${error.message}`,
    );
  });
  await until("the test's registry answers", async () => {
    if (failure !== null) throw failure;
    const answer = await fetch(`${url}/v2/`).catch(() => null);
    return answer !== null && [200, 401].includes(answer.status);
  });
  const headers: Record<string, string> = auth
    ? { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}` }
    : {};
  const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const good = (answer: Response) => {
    if (!answer.ok) throw new Error(`the test's registry answered ${answer.status}`);
    return answer;
  };
  return {
    port,
    url,
    name: `127.0.0.1:${port}`,
    async pushBlob(repository, bytes) {
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
    },
    async pushManifest(repository, reference, manifest, type) {
      const body = JSON.stringify(manifest);
      good(
        await fetch(`${url}/v2/${repository}/manifests/${reference}`, {
          method: "PUT",
          headers: { ...headers, "content-type": type },
          body,
        }),
      );
      return digestOf(Buffer.from(body));
    },
    async stop() {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
