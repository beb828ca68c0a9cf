// Sluice's own address, and whether a request comes from one of its own pages.
import { config } from "../config/load";

/** The public address without a trailing slash: SLUICE_URL, else server.url of sluice.yaml. */
export function publicUrl(): string {
  return (process.env.SLUICE_URL || config().server.url).replace(/\/+$/, "");
}

/** Whether cookies are sent over HTTPS only. */
export function isSecure(): boolean {
  return publicUrl().startsWith("https:");
}

/**
 * Whether an Origin header names Sluice itself: its public address, or the host the request was sent to.
 * The second is safe, since a page of another host never gets to send our cookie to that host as its own.
 */
export function isOwnOrigin(origin: string, headers: Headers): boolean {
  try {
    const { host, origin: normal } = new URL(origin);
    return (
      normal === new URL(publicUrl()).origin || (host !== "" && host === headers.get("host")?.toLowerCase())
    );
  } catch {
    return false;
  }
}

/** Whether a browser made this request for a page of another site; one that does not say where it comes from counts as such. */
export function isCrossSite(headers: Headers): boolean {
  const origin = headers.get("origin");
  if (origin !== null) return !isOwnOrigin(origin, headers);
  return headers.get("sec-fetch-site") !== "same-origin";
}
