// Where a component is: its containers (those behind its configured address, else those of its name in the same projects), and whether a
// change was done there.
import { config } from "../config/load";
import type { Config } from "../config/schema";
import type { HostWatch } from "../services/host-watch";
import { services } from "../services/service";
import type { Watched } from "../services/watched";

export type Part = { readonly host: HostWatch; readonly container: Watched };
type Addressed = { readonly name: string; readonly url?: unknown; readonly address?: unknown };

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;
const usualPorts: Readonly<Record<string, string>> = { "https:": "443", "redis:": "6379", "rediss:": "6379" };

/** host:port of a system; null where its address is another's: PHP-FPM's status page and health routes are the web server's. */
function addressOf(kind: string, { url, address }: Addressed): string | null {
  if (typeof address === "string") return address;
  if (typeof url !== "string" || kind === "php_fpm" || kind === "http") return null;
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (usualPorts[protocol] ?? "80")}`;
}

/** Whether a container answers at host:port: by a port that it publishes on this machine, or by one of its names. */
export function answersAt(
  { name, inspected }: Pick<Watched, "name" | "inspected">,
  address: string,
): boolean {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  const port = address.slice(at + 1);
  const { Ports, Networks } = inspected.NetworkSettings;
  if (loopback.test(host))
    return Object.values(Ports ?? {}).some((published) => published?.some((one) => one.HostPort === port));
  return (
    name === host ||
    Object.values(Networks ?? {}).some((one) => one.IPAddress === host || (one.Aliases ?? []).includes(host))
  );
}

const projectOf = ({ container }: Part): string | undefined => container.labels["com.docker.compose.project"];
/** Whether it is called so: its own name, its label, or its service in a project. */
const isCalled = ({ container: { name, labels } }: Part, wanted: string): boolean =>
  name === wanted || labels["sluice.name"] === wanted || labels["com.docker.compose.service"] === wanted;

/** The containers of a component (kind/name). Of several stacks on one host that have one of the same name each, only ours count. */
export function partsOf(
  key: string,
  { systems }: Pick<Config, "systems">,
  hosts: readonly HostWatch[],
): Part[] {
  const all = hosts.flatMap((host) =>
    [...host.containers.values()].map((container): Part => ({ host, container })),
  );
  const behind = (wanted: string | null): Part[] =>
    Object.entries(systems).flatMap(([kind, configured]) =>
      configured.flatMap((system: Addressed) => {
        const address = addressOf(kind, system);
        if (address === null || (wanted !== null && `${kind}/${system.name}` !== wanted)) return [];
        return all.filter(({ container }) => answersAt(container, address));
      }),
    );
  const own = behind(key);
  if (own.length > 0) return own;
  const called = all.filter((one) => isCalled(one, key.split("/")[1] ?? key));
  const projects = new Set(behind(null).map(projectOf));
  const ours = called.filter((one) => projects.has(projectOf(one)));
  return ours.length > 0 ? ours : called.length === 1 ? called : [];
}

export type Places = { readonly names: readonly string[]; readonly containers: readonly string[] };

/** Where a change to these components is done: their names, and their containers as host/name. */
export const placesOf = (keys: readonly string[]): Places => ({
  names: keys.map((key) => key.split("/")[1] ?? key),
  containers: keys
    .flatMap((key) => partsOf(key, config(), services().hosts()))
    .map(({ host, container }) => `${host.engine.name}/${container.name}`),
});

/** Whether a change was done to one of these systems, by name, or to one of these containers (host/name). */
export function touches(targets: readonly string[], { names, containers }: Places): boolean {
  return targets.some((target) => {
    const [kind = "", ...rest] = target.split(":");
    const what = rest.join(":");
    return kind === "container" ? containers.includes(what) : names.includes(what.split("/").at(-1) ?? what);
  });
}
