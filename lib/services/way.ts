// The container through which Sluice reaches an engine: a socket proxy on that engine's own host.
import { isOwn, ownContainer } from "../systems/docker/self";
import { portOf } from "../systems/docker/target";
import type { HostWatch } from "./host-watch";
import type { Watched } from "./watched";

/**
 * Whether this container is where the engine's `url` leads: by its address, by a port that it publishes on its host, or by a name
 * that it has in a network of Sluice's own container. Who stopped it could not be asked to start it again. Not known is one that
 * listens in its host's own network, and a port that something else leads to.
 */
export function isWayTo({ engine, containers }: HostWatch, watched: Watched): boolean {
  const { url } = engine;
  if (url === undefined || url.startsWith("ssh:")) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const port = String(portOf({ ...engine, url }));
  const { Networks, Ports } = watched.inspected.NetworkSettings;
  const networks = Object.entries(Networks ?? {});
  if (networks.some(([, one]) => one.IPAddress === host || one.GlobalIPv6Address === host)) return true;
  if (Object.values(Ports ?? {}).some((published) => published?.some(({ HostPort }) => HostPort === port)))
    return true;
  const own = ownContainer();
  const self = [...containers.values()].find(({ id }) => isOwn(id, own));
  const near = Object.keys(self?.inspected.NetworkSettings.Networks ?? {});
  return networks.some(
    ([network, { Aliases }]) =>
      near.includes(network) && (watched.name === host || (Aliases ?? []).includes(host)),
  );
}
