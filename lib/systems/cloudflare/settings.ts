// Two settings of a zone: how hard visitors are looked at (security level), and whether the cache is passed by (development mode).
import { createHash } from "node:crypto";
import * as z from "zod";
import { type AppError, toAppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { type CloudflareZone, call } from "./api";

/** Mildest first. "off" is Enterprise's only. */
export const securityLevels = ["off", "essentially_off", "low", "medium", "high", "under_attack"] as const;
export type SecurityLevel = (typeof securityLevels)[number];

export type ZoneSettings = {
  readonly level: SecurityLevel;
  /** ms since the epoch at which development mode ends by itself; null while it is off. */
  readonly developmentUntil: number | null;
};

const settings = {
  security_level: z.object({ value: z.enum(securityLevels) }),
  development_mode: z.object({ value: z.enum(["on", "off"]), time_remaining: z.number().optional() }),
};
type Name = keyof typeof settings;
/** By Cloudflare's word; it is told with the first look, and may not be told by a stub. */
const developmentMs = 3 * 3_600_000;

const pathOf = (zone: CloudflareZone, name: Name) => `/zones/${zone.zone}/settings/${name}`;
const levelOf = async (zone: CloudflareZone, signal?: AbortSignal) =>
  (
    await call(zone, "GET", pathOf(zone, "security_level"), settings.security_level, {
      signal,
      needs: "settings",
    })
  ).result.value;
const untilOf = (seen: z.infer<typeof settings.development_mode>, now: number): number | null =>
  seen.value === "off"
    ? null
    : now + (seen.time_remaining === undefined ? developmentMs : seen.time_remaining * 1000);

/** Both, asked now. Needs Zone Settings Read. Throws as `call`. */
export async function readSettings(zone: CloudflareZone, signal?: AbortSignal): Promise<ZoneSettings> {
  const [level, development] = await Promise.all([
    levelOf(zone, signal),
    call(zone, "GET", pathOf(zone, "development_mode"), settings.development_mode, {
      signal,
      needs: "settings",
    }),
  ]);
  const seen: ZoneSettings = { level, developmentUntil: untilOf(development.result, Date.now()) };
  kept().set(keyOf(zone), { at: Date.now(), seen, error: null });
  return seen;
}

/** Needs Zone Settings Edit. What is said to be so is not proof: read it back. Throws as `call`. */
export async function setLevel(
  zone: CloudflareZone,
  value: SecurityLevel,
  signal?: AbortSignal,
): Promise<void> {
  await write(zone, "security_level", value, signal);
}

/** Needs Zone Settings Edit. Throws as `call`. */
export async function setDevelopment(
  zone: CloudflareZone,
  value: "on" | "off",
  signal?: AbortSignal,
): Promise<void> {
  await write(zone, "development_mode", value, signal);
}

async function write(zone: CloudflareZone, name: Name, value: string, signal?: AbortSignal): Promise<void> {
  await call<unknown>(zone, "PATCH", pathOf(zone, name), settings[name], {
    body: { value },
    signal,
    needs: "settings",
  });
  kept().delete(keyOf(zone));
}

type Kept = { readonly at: number; readonly seen: ZoneSettings | null; readonly error: AppError | null };
/** Every look at the connection, and every viewer, may ask: Cloudflare is asked once a minute. */
const keptMs = 60_000;
const kept = () => singleton("systems.cloudflare.settings", () => new Map<string, Kept>());
const keyOf = (zone: CloudflareZone): string =>
  createHash("sha256").update(`${zone.api}\n${zone.zone}\n${zone.token}`).digest("base64url");

/** Both, at most a minute old; a refusal is kept as long. Never throws. */
export async function knownSettings(zone: CloudflareZone): Promise<Kept> {
  const last = kept().get(keyOf(zone));
  if (last !== undefined && Date.now() - last.at < keptMs) return last;
  try {
    const seen = await readSettings(zone);
    return { at: Date.now(), seen, error: null };
  } catch (thrown) {
    // What was seen last is still the best guess, for those who judge by it.
    const failed: Kept = { at: Date.now(), seen: last?.seen ?? null, error: toAppError(thrown) };
    kept().set(keyOf(zone), failed);
    return failed;
  }
}
