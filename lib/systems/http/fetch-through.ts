// Asks for a public address through one chosen layer: connects to that layer, names the public host.
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { AppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";

export type FetchThrough = {
  /** The layer: scheme, host, port. */
  readonly base: string;
  /** The public host: Host header and TLS server name. */
  readonly host: string;
  /** Path and query, sent byte for byte. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** 8 MiB when left out. */
  readonly maxBytes?: number;
};

/**
 * The layer's answer, whatever its status. The body is as sent: see `plainBody` for one that was compressed.
 * Throws AppError UNREACHABLE, TIMEOUT, BAD_ANSWER, CANCELLED or INVALID_INPUT.
 */
export const fetchThrough = (request: FetchThrough): Promise<Answer> => exchange(request);

/** The body without its content coding (gzip, br, deflate), to compare what two layers say. Throws AppError BAD_ANSWER. */
export function plainBody(answer: Pick<Answer, "headers" | "body">, maxBytes = 32 * 1024 * 1024): Uint8Array {
  const bound = { maxOutputLength: maxBytes };
  const coding = (answer.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (answer.body.length === 0) return answer.body;
  try {
    if (coding === "identity" || coding === "") return answer.body;
    if (coding === "gzip" || coding === "x-gzip") return gunzipSync(answer.body, bound);
    if (coding === "br") return brotliDecompressSync(answer.body, bound);
    if (coding === "deflate") return inflateSync(answer.body, bound);
  } catch (cause) {
    throw new AppError("BAD_ANSWER", `The body cannot be decompressed (${coding}).`, {
      problem: "http.garbled",
      params: { address: coding },
      cause,
    });
  }
  throw new AppError("BAD_ANSWER", `The body is in a coding that is not known: ${coding}.`, {
    problem: "http.garbled",
    params: { address: coding },
  });
}
