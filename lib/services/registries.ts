// Which registry an image is had from: one of sluice.yaml, or the one its name says, without a sign-in.
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import type { RegistryLogin } from "../systems/docker/images";
import type { ImageReference } from "../systems/oci/reference";
import { hubUrl, type Registry } from "../systems/oci/registry";

type Configured = Config["systems"]["registry"][number];

/** A registry of sluice.yaml as its adapter wants it. */
export const registryOf = ({ host, url, username, password, timeout }: Configured): Registry => ({
  name: host ?? new URL(url).host,
  url,
  username,
  password,
  timeout,
});

/** Why a registry did not tell what it was asked of an image. */
export const registryProblem = (
  error: unknown,
  { registry }: Pick<ImageReference, "registry">,
): ToldProblem =>
  tellProblem(error, {
    problem: "oci.failed",
    params: { registry, says: toAppError(error).message.slice(0, 200) },
  });

/** The registry of an image's name. Those on a loopback speak plain HTTP, as Docker takes them. */
export function registryFor({ registry }: Pick<ImageReference, "registry">): Registry {
  const known = config()
    .systems.registry.map(registryOf)
    .find(({ name }) => name === registry);
  if (known !== undefined) return known;
  if (registry === "docker.io") return { name: registry, url: hubUrl, timeout: 10_000 };
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry);
  return { name: registry, url: `${local ? "http" : "https"}://${registry}`, timeout: 10_000 };
}

/** What the engine must be given to pull from there, or null. */
export function loginFor(reference: Pick<ImageReference, "registry">): RegistryLogin | null {
  const { name, username, password } = registryFor(reference);
  if (username === undefined || password === undefined) return null;
  return { username, password, serveraddress: name === "docker.io" ? "https://index.docker.io/v1/" : name };
}
