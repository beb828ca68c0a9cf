// The one door to the API: its address, its Host, and how long is waited.
import { request } from "node:http";
import type { H3Event } from "h3";

const waitMs = 4000;

export type ApiAnswer = { status: number; headers: Record<string, string | undefined>; body: string };

/** Asks the API for a path, under the site's name: fetch() lets nobody choose the Host. Rejects when nothing comes in time. */
export function askApi(event: H3Event, path: string): Promise<ApiAnswer> {
  const { apiBase, apiHost } = useRuntimeConfig(event);
  return new Promise((resolve, reject) => {
    const asked = request(
      new URL(path, apiBase),
      { headers: { host: apiHost, accept: "application/ld+json" }, signal: AbortSignal.timeout(waitMs) },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const headers = Object.fromEntries(
            Object.entries(answer.headers).map(([name, value]) => [name, value?.toString()]),
          );
          resolve({ status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString("utf8") });
        });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}
