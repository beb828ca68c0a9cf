// A container's own settings, taken apart from what its image gave it: the same container of another image. Pure.
import { isDeepStrictEqual } from "node:util";
import type { Inspected } from "../../systems/docker/containers";
import type { ImageDetail } from "../../systems/docker/images";

export type Description = {
  /** Body of the Engine's ContainerCreate, without networks but the first. */
  readonly create: Readonly<Record<string, unknown>>;
  /** The other networks, to be joined before it is started: an Engine before 25 takes one at creation. */
  readonly networks: readonly {
    readonly name: string;
    readonly settings: Readonly<Record<string, unknown>>;
  }[];
};

type Json = Readonly<Record<string, unknown>>;
const record = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Settings that a container inherits whole from its image when it says nothing itself. */
const inheritedWhole = [
  "Cmd",
  "Entrypoint",
  "WorkingDir",
  "User",
  "Healthcheck",
  "StopSignal",
  "Shell",
  "OnBuild",
];
/** Those of which it inherits the entries that it does not say itself. */
const inheritedEach = ["Labels", "ExposedPorts", "Volumes"];
/** What only inspect says, or what the engine makes anew. */
const notSettings = ["Image", "ArgsEscaped", "Hostname", "Env", "MacAddress"];

/**
 * How `old` would be made again of `image`. What the old image gave it (`from`) is left out, so that the new one gives its own;
 * with no `from` everything is kept as it is. `imageId` stands in Compose's label, where there is one.
 */
export function descriptionOf(
  old: Inspected,
  from: ImageDetail | null,
  image: string,
  imageId: string,
): Description {
  const config: Record<string, unknown> = {};
  const inherited = record(from?.Config);
  for (const [key, value] of Object.entries(old.Config)) {
    if (notSettings.includes(key) || value === null || value === undefined) continue;
    if (from !== null && inheritedWhole.includes(key) && isDeepStrictEqual(value, inherited[key])) continue;
    config[key] =
      from !== null && inheritedEach.includes(key)
        ? Object.fromEntries(
            Object.entries(record(value)).filter(
              ([name, own]) => !isDeepStrictEqual(own, record(inherited[key])[name]),
            ),
          )
        : value;
  }
  const given = new Set(list(inherited.Env));
  config.Env = (old.Config.Env ?? []).filter((one) => !given.has(one));
  // The default host name is the beginning of the id, and must follow it.
  const { Hostname } = old.Config;
  if (Hostname && !old.Id.startsWith(Hostname)) config.Hostname = Hostname;
  const labels = record(config.Labels);
  if (labels["com.docker.compose.image"] !== undefined)
    config.Labels = { ...labels, "com.docker.compose.image": imageId };
  const [first, ...others] = networksOf(old);
  return {
    create: {
      ...config,
      Image: image,
      HostConfig: { ...old.HostConfig, Binds: bindsOf(old) },
      ...(first === undefined
        ? {}
        : { NetworkingConfig: { EndpointsConfig: { [first.name]: first.settings } } }),
    },
    networks: others,
  };
}

/** Its binds, and its anonymous volumes by name: their data belongs to the service, not to one container. */
function bindsOf({ HostConfig, Mounts }: Inspected): string[] {
  const binds = HostConfig.Binds ?? [];
  const named = new Set([
    ...binds.map((bind) => bind.split(":")[1]),
    ...list(HostConfig.Mounts).map((mount) => record(mount).Target),
    ...Object.keys(record(HostConfig.Tmpfs)),
  ]);
  const anonymous = (Mounts ?? []).flatMap(({ Type, Name, Destination, RW }) =>
    Type === "volume" && Name && !named.has(Destination) ? [`${Name}:${Destination}${RW ? "" : ":ro"}`] : [],
  );
  // Volumes that come from another container come from it again.
  return (HostConfig.VolumesFrom ?? []).length > 0 ? binds : [...binds, ...anonymous];
}

/** Its networks with the settings of its own, the one of its NetworkMode first. */
function networksOf({ Id, Config, HostConfig, NetworkSettings }: Inspected): Description["networks"] {
  const mode = HostConfig.NetworkMode ?? "default";
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) return [];
  const main = mode === "default" ? "bridge" : mode;
  return Object.entries(NetworkSettings.Networks ?? {})
    .map(([name, one]) => ({
      name,
      settings: {
        ...(one.IPAMConfig ? { IPAMConfig: one.IPAMConfig } : {}),
        ...(one.Links ? { Links: one.Links } : {}),
        ...(one.DriverOpts ? { DriverOpts: one.DriverOpts } : {}),
        // The engine adds the beginning of the id itself.
        ...(one.Aliases ? { Aliases: one.Aliases.filter((alias) => !Id.startsWith(alias)) } : {}),
        // Only one that somebody chose; else every container has its own.
        ...(name === main && typeof Config.MacAddress === "string" && Config.MacAddress !== ""
          ? { MacAddress: Config.MacAddress }
          : {}),
      },
    }))
    .sort((a, b) => Number(b.name === main) - Number(a.name === main));
}

/** What differs between two containers that should be the same but for their image, by path. */
export function differences(
  old: Inspected,
  now: Inspected,
  from: ImageDetail | null,
  to: ImageDetail | null,
): string[] {
  const before = descriptionOf(old, from, "", "");
  const after = descriptionOf(now, to, "", "");
  const found: string[] = [];
  compare(normal(before), normal(after), "", found);
  return found;
}

/** Without what must differ, and with one word for "nothing". */
function normal(one: Description): unknown {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(clean);
    if (typeof value !== "object" || value === null)
      return value === "" || value === 0 || value === false ? undefined : (value ?? undefined);
    const entries = Object.entries(value).flatMap(([key, inner]) => {
      const said = clean(inner);
      return said === undefined || key === "com.docker.compose.image" ? [] : [[key, said] as const];
    });
    return entries.length === 0
      ? undefined
      : Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
  };
  const sorted = { ...one.create, Env: [...list(one.create.Env)].sort() };
  return clean({
    ...sorted,
    networks: Object.fromEntries(one.networks.map(({ name, settings }) => [name, settings])),
  });
}

function compare(a: unknown, b: unknown, path: string, found: string[]): void {
  if (isDeepStrictEqual(a, b)) return;
  const plain = (value: unknown) => typeof value !== "object" || value === null || Array.isArray(value);
  if (plain(a) || plain(b)) {
    found.push(path);
    return;
  }
  for (const key of new Set([...Object.keys(record(a)), ...Object.keys(record(b))]))
    compare(record(a)[key], record(b)[key], path === "" ? key : `${path}.${key}`, found);
}
