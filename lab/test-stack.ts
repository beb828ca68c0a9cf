// For tests against a started stack: its description, and requests with any method, header and byte.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { promisify } from "node:util";

export type Stack = import("./run/stack.mjs").Stack;
export type Answer = { status: number; reason: string; headers: http.IncomingHttpHeaders; body: string };

const file = process.env.SLUICE_STACK;
if (!file) throw new Error("SLUICE_STACK must name the stack.json of a started stack");
export const stack = JSON.parse(readFileSync(file, "utf8")) as Stack;
export const site = "site.localhost";
export const article = { id: 4182, fr: "/fr/grande-soiree-d-ete", en: "/en/great-summer-evening" };

type Options = { method?: string; headers?: Record<string, string>; body?: string; timeoutMs?: number };

export function ask(port: number, path: string, options: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: options.method ?? "GET",
        headers: { host: site, ...options.headers },
        timeout: options.timeoutMs ?? 15_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            reason: response.statusMessage ?? "",
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", reject);
    request.end(options.body);
  });
}

/** Bytes as they are: for what an HTTP client would refuse to send. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(3000, () => socket.destroy());
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(said));
  });
}

const run = promisify(execFile);
export async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args)).stdout;
}

/** A process of a container is run by its argument array, as everywhere. */
export const inContainer = (name: string, ...args: string[]) =>
  docker("exec", stack.containers[name] ?? name, ...args);

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const revisionOf = (answer: Answer) => Number(answer.headers["x-revision"]);

export const json = (body: unknown): Options => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Publishes through the back office of the origin, without telling anyone. */
export async function publish(id = article.id, body: object = {}): Promise<number> {
  const answer = await ask(
    stack.ports.origin,
    `/admin/articles/${id}/publish`,
    json({ notify: false, ...body }),
  );
  if (answer.status !== 200) throw new Error(`publish: ${answer.status} ${answer.body}`);
  return (JSON.parse(answer.body) as { revision: number }).revision;
}

/** Removes fragments from Redis, so that the origin itself answers what is published. */
export async function dropFragments(): Promise<void> {
  const keys = (await redis("--scan", "--pattern", "fragment:*")).split("\n").filter(Boolean);
  if (keys.length > 0) await redis("del", ...keys);
}

export const redis = (...args: string[]) =>
  docker(
    "exec",
    "-e",
    `REDISCLI_AUTH=${stack.secrets.redisPassword}`,
    stack.containers.redis ?? "",
    "redis-cli",
    ...args,
  );
