// How much anybody may send us, signed in or not.
import { AppError } from "../errors/app-error";

/** Largest body of a call of the API, in bytes: 10,000 pasted addresses of 800 characters. */
export const mostBytes = 8 * 1024 * 1024;
/** Largest body of a sign-in, in bytes. */
export const mostEntryBytes = 64 * 1024;

/** The request with its body read, at most `most` bytes of it. Throws AppError TOO_LARGE, without reading on. */
export async function withBody(request: Request, most: number): Promise<Request> {
  if (request.body === null) return request;
  const tooLarge = () =>
    new AppError("TOO_LARGE", `The body of a request may have ${most} bytes at most: send less at a time.`, {
      problem: "request.tooLarge",
      params: { kilobytes: Math.floor(most / 1024) },
    });
  if (Number(request.headers.get("content-length")) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body.getReader();
  // What is declared may be a lie, and a chunked body declares nothing.
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > most) {
      await reader.cancel().catch(() => {});
      throw tooLarge();
    }
    chunks.push(value);
  }
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    body: Buffer.concat(chunks),
    signal: request.signal,
  });
}
