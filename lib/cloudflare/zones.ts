// The zones of sluice.yaml, and the sites behind each.
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import type { CloudflareZone } from "../systems/cloudflare/api";

/** Throws AppError NOT_FOUND. */
export function zoneCalled(name: string): CloudflareZone {
  const zone = config().systems.cloudflare.find((one) => one.name === name);
  if (zone !== undefined) return zone;
  throw new AppError("NOT_FOUND", `No cloudflare called ${name.slice(0, 100)} is configured.`, {
    problem: "connections.notFound",
    params: { name: name.slice(0, 100) },
  });
}

/** Names of the sites whose requests go through a zone. */
export const sitesBehind = (zone: string): string[] =>
  config()
    .sites.filter(({ caches }) => caches.cloudflare === zone)
    .map(({ name }) => name);
