// Who is at the other end: the connection's address, or behind trusted proxies the one they vouch for.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import ipaddr from "ipaddr.js";
import { config } from "../config/load";

/** Carries the connection's address to the handlers; whatever a client sends under this name is replaced. */
export const peerHeader = "x-sluice-peer";
const channel = "http.server.request.start";
const maxHops = 20;

/**
 * Notes the connection's address in every request's headers, since Next gives handlers no socket and keeps an
 * X-Forwarded-For that the client made up. Returns the way to stop.
 */
export function recordPeers(): () => void {
  const record = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    request.headers[peerHeader] = request.socket.remoteAddress ?? "";
  };
  subscribe(channel, record);
  return () => unsubscribe(channel, record);
}

/** The client's address in its shortest form, or "unknown". */
export function clientAddress(
  headers: Headers,
  trusted: readonly string[] = config().server.trusted_proxies,
): string {
  const peer = normal(headers.get(peerHeader));
  if (peer === null) return "unknown";
  const networks = trusted.map((text) => ipaddr.parseCIDR(text));
  const isTrusted = (address: string): boolean => {
    const parsed = ipaddr.parse(address);
    return networks.some(
      ([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits] as never),
    );
  };
  let client = peer;
  // From the right: each trusted hop vouches for the address it noted before its own.
  const hops = (headers.get("x-forwarded-for") ?? "").split(",").slice(-maxHops);
  while (isTrusted(client)) {
    const before = normal(hops.pop() ?? null);
    if (before === null) break;
    client = before;
  }
  return client;
}

function normal(text: string | null): string | null {
  const trimmed = text?.trim() ?? "";
  return ipaddr.isValid(trimmed) ? ipaddr.process(trimmed).toString() : null;
}

/** What attempts are counted by: an IPv4 address, or an IPv6 network of 64 bits, which one household has. */
export function addressBucket(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.parse(address).toByteArray().slice(0, 8).join(".");
}
