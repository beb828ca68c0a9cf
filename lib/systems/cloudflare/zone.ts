// The token and the zone: whether they are good, and which zone a host belongs to.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { look } from "../look";
import type { Probed } from "../system";
import { type CloudflareZone, call } from "./api";
import { meters } from "./purge";
import { knownSettings } from "./settings";

/** The token's state by Cloudflare's word ("active", "disabled", "expired"). Throws AppError UPSTREAM_AUTH and `call`'s. */
export async function verifyToken(zone: CloudflareZone, signal?: AbortSignal): Promise<{ status: string }> {
  const schema = z.object({ status: z.string() });
  return (await call(zone, "GET", "/user/tokens/verify", schema, { signal })).result;
}

const zoneObject = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  plan: z.object({ legacy_id: z.string().optional() }).optional(),
});
export type FoundZone = {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly plan: string | null;
};
const found = (zone: z.infer<typeof zoneObject>): FoundZone => ({
  id: zone.id,
  name: zone.name,
  status: zone.status,
  plan: zone.plan?.legacy_id ?? null,
});

/** The names a zone of this host may have, longest first: www.a.example, a.example. */
export function zoneNames(hostname: string): string[] {
  const labels = hostname.toLowerCase().replace(/\.$/, "").split(".");
  const names = labels
    .map((_, index) => labels.slice(index).join("."))
    .slice(0, Math.max(1, labels.length - 1));
  return names.slice(-8);
}

/** The zone that a host belongs to, or null. Needs Zone Read. Throws as `call`. */
export async function findZone(
  zone: CloudflareZone,
  hostname: string,
  signal?: AbortSignal,
): Promise<FoundZone | null> {
  for (const name of zoneNames(hostname)) {
    const { result } = await call(
      zone,
      "GET",
      `/zones?name=${encodeURIComponent(name)}`,
      z.array(zoneObject),
      { signal },
    );
    const exact = result.find((one) => one.name === name);
    if (exact) return found(exact);
  }
  return null;
}

/** The configured zone itself. Needs Zone Read. Throws as `call`. */
export async function readZone(zone: CloudflareZone, signal?: AbortSignal): Promise<FoundZone> {
  return found((await call(zone, "GET", `/zones/${zone.zone}`, zoneObject, { signal })).result);
}

/** What is set to be otherwise than on a normal day: it must not be forgotten. Of what the token may not read nothing is said. */
async function concernsOf(zone: CloudflareZone): Promise<ToldProblem[]> {
  const { seen } = await knownSettings(zone);
  const params = { system: zone.name };
  return [
    ...(seen?.level === "under_attack" ? [{ problem: "cloudflare.underAttack", params }] : []),
    ...((seen?.developmentUntil ?? 0) > Date.now()
      ? [{ problem: "cloudflare.developmentMode", params }]
      : []),
  ];
}

/** Whether the token works, which zone it is for, how much of the rate limit is left, and what is set otherwise than on a normal day. */
export const probe = (zone: CloudflareZone): Promise<Probed> =>
  look(`cloudflare:${zone.name}`, async () => {
    const { status } = await verifyToken(zone);
    if (status !== "active") {
      throw new AppError("UPSTREAM_AUTH", `${zone.name}: the token is ${status}.`, {
        problem: "cloudflare.tokenStatus",
        params: { system: zone.name, status },
      });
    }
    const facts: Record<string, string | number> = { plan: zone.plan };
    try {
      const read = await readZone(zone);
      facts.zone = read.name;
      facts.zoneStatus = read.status;
    } catch (error) {
      // Purging needs no Zone Read: a token without it is a good token.
      if (!(error instanceof AppError) || error.code !== "UPSTREAM_AUTH") throw error;
    }
    const { lookups, urls } = meters(zone);
    facts.callsLeft = lookups.left;
    facts.urlsLeft = urls.left;
    return { version: null, facts, concerns: await concernsOf(zone) };
  });
