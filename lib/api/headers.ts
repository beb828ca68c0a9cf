// Headers that every answer of the API carries.

/** Nothing of it may be kept by a cache; a proxy must neither compress nor collect an event stream. */
export function noStore(headers: Headers): void {
  const stream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  headers.set("cache-control", stream ? "no-store, no-transform" : "no-store");
  if (stream) headers.set("x-accel-buffering", "no");
}
