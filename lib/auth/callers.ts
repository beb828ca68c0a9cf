// Programs that call without a session: by a token of sluice.yaml, or by the network they are in.
import { createHash, timingSafeEqual } from "node:crypto";
import ipaddr from "ipaddr.js";

/** Headers of the web, or a map of them. */
type Sent = { get(name: string): string | null | undefined };

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Whether two secrets are the same; how long it takes tells nothing of either. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/** The token of `Authorization: Bearer <token>`, or null. */
export function bearerOf(headers: Sent): string | null {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}

/** Whether the caller sent this token; never where none is set. */
export function gaveToken(headers: Sent, token: string | undefined): boolean {
  const given = bearerOf(headers);
  return token !== undefined && given !== null && sameSecret(given, token);
}

/** Answers by client address for the networks of one configuration; few clients ask often. */
const known = new WeakMap<readonly string[], Map<string, boolean>>();
const mostKnown = 10_000;

/** Whether an address is in one of these networks (CIDR). */
export function inNetworks(address: string, networks: readonly string[]): boolean {
  const answers = known.get(networks) ?? new Map<string, boolean>();
  known.set(networks, answers);
  const answered = answers.get(address);
  if (answered !== undefined) return answered;
  const inside =
    ipaddr.isValid(address) &&
    networks.some((network) => {
      const client = ipaddr.process(address);
      const [range, bits] = ipaddr.parseCIDR(network);
      return range.kind() === client.kind() && client.match(range, bits);
    });
  if (answers.size >= mostKnown) answers.clear();
  answers.set(address, inside);
  return inside;
}
