// What varnishlog tells of requests: how each was answered, and which backend was asked for it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const answeredBy = { HIT: "hit", MISS: "miss", PASS: "pass", SYNTH: "synth", PIPE: "pipe" } as const;
export type Cache = (typeof answeredBy)[keyof typeof answeredBy];

/** `from`: the client's port. `backend`: the last one that was asked; null where the answer needed none. */
export type Seen = { readonly from: number; readonly cache: Cache | null; readonly backend: string | null };

/**
 * Reads varnishlog's text, grouped by request: groups stand apart by an empty line, and each transaction of one begins with
 * stars, a restart's too. What counts is the last subroutine that a client's own request (not an ESI fragment) came to.
 */
export function readLog(text: string): Seen[] {
  return text.split(/\n\n+/).flatMap((group) => {
    let [from, cache, backend]: [number | null, Cache | null, string | null] = [null, null, null];
    let own = false;
    for (const line of group.split("\n")) {
      const [, tag, said = ""] = /^-+\s+(\S+)\s*(.*)$/.exec(line) ?? [];
      const words = said.split(" ");
      if (tag === "Begin") own = words[0] === "req" && words[2] !== "esi";
      else if (tag === "ReqStart" && own) from = Number(words[1]);
      else if (tag === "VCL_call" && own) cache = answeredBy[words[0] as keyof typeof answeredBy] ?? cache;
      // Older versions write the VCL's name before the backend's.
      else if (tag === "BackendOpen") backend = words[1]?.replace(/^trial\./, "") ?? backend;
    }
    return from === null ? [] : [{ from, cache, backend }];
  });
}

/** The finished requests that the varnishd of this folder still has in its log, oldest first; none where varnishlog finds no log. Throws the signal's reason. */
export async function seenIn(
  program: string,
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Seen[]> {
  const args = ["-d", "-n", folder, "-g", "request", "-i", "Begin,ReqStart,VCL_call,BackendOpen"];
  const options = { timeout: 10_000, maxBuffer: 64 * 1024 * 1024, env, signal };
  const text = await promisify(execFile)(program, args, options).then(
    ({ stdout }) => stdout,
    () => "",
  );
  signal.throwIfAborted();
  return readLog(text);
}
