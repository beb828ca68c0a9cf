// For tests only: Sluice's purge domain on a database of its own, in front of the reference stack.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as z from "zod";
import type { ChangeRow, changeOrigin } from "@/lib/changes/contract";
import { engine } from "@/lib/changes/engine";
import type { Actor } from "@/lib/changes/kind";
import { configSource } from "@/lib/config/load";
import { closeDatabase, db } from "@/lib/db/client";
import { openDatabase } from "@/lib/db/open";
import { forgetSingleton } from "@/lib/runtime/singleton";
import { type PurgeProof, purgeProof } from "./contract";
import { registerPurge } from "./register";

const file = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";

export type Stack = {
  readonly ports: Readonly<Record<string, number>>;
  readonly containers: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
};

/** The started stack, or null when there is none. */
export function stackOf(): Stack | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Stack;
  } catch {
    return null;
  }
}

export type Lab = { readonly stack: Stack; readonly directory: string; close(): Promise<void> };

/** sluice.yaml for the stack, with lines changed by `edit`. */
export function labYaml(edit: (yaml: string) => string = (yaml) => yaml): string {
  return edit(execFileSync(process.execPath, ["lab/sluice-yaml.mjs", file], { encoding: "utf8" }));
}

/** An engine with a fresh database and the stack's configuration. */
export async function openLab(edit?: (yaml: string) => string): Promise<Lab> {
  const stack = stackOf();
  if (!stack) throw new Error("no stack");
  const directory = mkdtempSync(join(tmpdir(), "sluice-purge-"));
  process.env.SLUICE_DATA = directory;
  process.env.SLUICE_CONFIG = join(directory, "sluice.yaml");
  writeFileSync(process.env.SLUICE_CONFIG, labYaml(edit));
  for (const key of ["config", "changes.engine", "purge.nodes", "purge.siblings"]) forgetSingleton(key);
  const { error } = configSource().state;
  if (error) throw new Error(`the lab's sluice.yaml is not taken: ${error.message}`);
  await openDatabase();
  registerPurge();
  return {
    stack,
    directory,
    async close() {
      await engine().stop(5000);
      await closeDatabase();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const operator: Actor = {
  type: "user",
  id: "op",
  name: "Olga",
  role: "operator",
  sites: null,
  scopes: null,
};
export const editor: Actor = {
  type: "user",
  id: "ed",
  name: "Edith",
  role: "editor",
  sites: ["site"],
  scopes: null,
};

/** Runs a purge to its end. */
export async function purgeToEnd(
  input: unknown,
  options: {
    readonly actor?: Actor;
    readonly confirmation?: string;
    readonly origin?: z.infer<typeof changeOrigin>;
    readonly timeoutMs?: number;
  } = {},
): Promise<{ row: ChangeRow; proof: PurgeProof | null }> {
  const id = await engine().start({
    kind: "purge",
    input,
    actor: options.actor ?? operator,
    origin: options.origin ?? "page",
    confirmation: options.confirmation ?? null,
  });
  const row = await engine().wait(id, options.timeoutMs ?? 30_000);
  return { row, proof: await proofOf(id) };
}

export async function proofOf(id: number): Promise<PurgeProof | null> {
  const stored = await db().change.findUniqueOrThrow({ where: { id }, select: { evidence: true } });
  return stored.evidence === null ? null : purgeProof.parse(JSON.parse(stored.evidence));
}

export type Seen = { status: number; headers: http.IncomingHttpHeaders; body: string };

/** One request to a published port, with the public host. */
export function ask(
  port: number,
  path: string,
  options: {
    method?: string;
    host?: string;
    headers?: Record<string, string>;
    body?: string;
    address?: string;
  } = {},
): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: options.address ?? "127.0.0.1",
        port,
        path,
        method: options.method ?? "GET",
        agent: false,
        headers: { host: options.host ?? "site.localhost", ...options.headers },
        timeout: 15_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
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

export const port = (stack: Stack, name: string): number => {
  const found = stack.ports[name];
  if (found === undefined) throw new Error(`no port ${name}`);
  return found;
};

/** Publishes a new revision in the back office without telling any cache. */
export async function publish(stack: Stack, id: number): Promise<number> {
  const answer = await ask(port(stack, "nginx"), `/admin/articles/${id}/publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ notify: false }),
  });
  const told = JSON.parse(answer.body) as { revision: number };
  return told.revision;
}
