// The Traefiks of the configuration, and how Sluice may bring files to each.
import { config } from "../../config/load";
import type { Config } from "../../config/schema";
import { AppError } from "../../errors/app-error";
import type { TraefikFiles } from "./contract";

export type TraefikServerConfig = Config["systems"]["traefik"][number];

/** A Traefik by its name. Throws AppError NOT_FOUND. */
export function traefikCalled(name: string): TraefikServerConfig {
  const server = config().systems.traefik.find((one) => one.name === name);
  if (server !== undefined) return server;
  throw new AppError("NOT_FOUND", `No Traefik is called ${name.slice(0, 100)}.`, {
    problem: "routing.noTraefik",
    params: { traefik: name.slice(0, 100) },
  });
}

/** How its files get to a Traefik. */
export const byOf = ({ directory, provider_token }: TraefikServerConfig): TraefikFiles["by"] =>
  directory !== undefined ? "directory" : provider_token !== undefined ? "http" : "none";

/** That sluice.yaml tells no way to a Traefik's files. */
export const noWay = ({ name }: TraefikServerConfig): AppError =>
  new AppError("NOT_CONFIGURED", `Neither directory nor provider_token is set for ${name}.`, {
    problem: "routing.noFiles",
    params: { traefik: name },
  });

/** What a change of a Traefik's files locks, and what history is filtered by. */
export const targetOf = (traefik: string): string => `traefik:${traefik}`;
export const applyKindName = "traefik.apply";
