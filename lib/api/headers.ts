// Headers that every answer of the API carries.

/** Carries the request's name in every answer. */
export const requestIdHeader = "x-request-id";

/**
 * Names the request, and sees to it that nothing of the answer is kept by a cache or taken for a page; a proxy must
 * neither compress nor collect an event stream.
 */
export function finish(headers: Headers, requestId: string): void {
  const stream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  headers.set("cache-control", stream ? "no-store, no-transform" : "no-store");
  if (stream) headers.set("x-accel-buffering", "no");
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  headers.set(requestIdHeader, requestId);
}
