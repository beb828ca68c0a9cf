// For tests only: where the reference stack listens, or why there is none.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import * as z from "zod";

const stackFile = z.object({
  project: z.string(),
  ports: z.record(z.string(), z.int()),
  containers: z.record(z.string(), z.string()),
  zones: z.array(z.string()),
  hosts: z.array(z.string()),
  /** The file that each Varnish node starts with, on the host. */
  vclFiles: z.record(z.string(), z.string()),
  /** The folder of Traefik's file provider, and its access log, on the host. */
  traefikRules: z.string(),
  traefikLog: z.string(),
  secrets: z.object({
    varnishSecretFile: z.string(),
    cloudflareToken: z.string(),
    redisPassword: z.string(),
    s3AccessKey: z.string(),
    s3SecretKey: z.string(),
    mariadbUser: z.string(),
    mariadbPassword: z.string(),
  }),
});
export type TestStack = z.infer<typeof stackFile>;

/** The stack of SLUICE_STACK (or .lab/dev/stack.json), or null when that file is absent. */
export function testStack(): TestStack | null {
  const path = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";
  try {
    return stackFile.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** An address of the stack by its port's name ("varnish1"). */
export function stackUrl(stack: TestStack, port: string): string {
  const number = stack.ports[port];
  if (number === undefined) throw new Error(`the stack has no port "${port}"`);
  return `http://127.0.0.1:${number}`;
}

/** A port of the loopback that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

/** Tries until `look` gives something, or fails after `ms`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  ms = 10_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
