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

/** Settings that a container inherits whole from its image when it says nothing itself. Cmd and Entrypoint: `commandOf`. */
const inheritedWhole = ["WorkingDir", "User", "Healthcheck", "StopSignal", "Shell", "OnBuild"];
/** Those of which it inherits the entries that it does not say itself. */
const inheritedEach = ["Labels", "ExposedPorts", "Volumes"];
/** What only inspect says, or what the engine makes anew. */
const notSettings = ["Image", "ArgsEscaped", "Hostname", "Env", "MacAddress", "Cmd", "Entrypoint"];

/**
 * What it says of its command itself. An entry point of its own is never completed by the image's command, so the two are
 * judged together (moby, image merge: Cmd is inherited only where neither is given). `[""]` takes the image's entry point away.
 */
function commandOf({ Config }: Inspected, from: ImageDetail | null): Json {
  const [cmd, entrypoint] = [list(Config.Cmd), list(Config.Entrypoint)];
  const inherited = record(from?.Config);
  const [imageCmd, imageEntrypoint] = [list(inherited.Cmd), list(inherited.Entrypoint)];
  const sameCmd = isDeepStrictEqual(cmd, imageCmd);
  const sameEntrypoint = isDeepStrictEqual(entrypoint, imageEntrypoint);
  if (from !== null && sameEntrypoint && sameCmd) return {};
  // A command of its own leaves the image's entry point; with none of its own it must have said the entry point.
  if (from !== null && sameEntrypoint && cmd.length > 0) return { Cmd: cmd };
  return {
    Entrypoint: entrypoint.length > 0 ? entrypoint : [""],
    ...(cmd.length > 0 ? { Cmd: cmd } : {}),
  };
}

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
  Object.assign(config, commandOf(old, from));
  // The default host name is the beginning of the id, and must follow it; in another's network it is that one's.
  const { Hostname } = old.Config;
  const shared = (old.HostConfig.NetworkMode ?? "").startsWith("container:");
  if (Hostname && !shared && !old.Id.startsWith(Hostname)) config.Hostname = Hostname;
  if (shared) delete config.ExposedPorts;
  const labels = record(config.Labels);
  if (labels["com.docker.compose.image"] !== undefined)
    config.Labels = { ...labels, "com.docker.compose.image": imageId };
  const [first, ...others] = networksOf(old);
  return {
    create: {
      ...config,
      Image: image,
      HostConfig: { ...old.HostConfig, ...volumesOf(old) },
      ...(first === undefined
        ? {}
        : { NetworkingConfig: { EndpointsConfig: { [first.name]: first.settings } } }),
    },
    networks: others,
  };
}

/** "/data/" and "/data" are one place. */
const placeOf = (path: unknown): string => String(path).replace(/(?<=.)\/+$/, "");

/** Its binds and mounts, its anonymous volumes among them by name: their data belongs to the service, not to one container. */
function volumesOf({ Config, HostConfig, Mounts }: Inspected): {
  Binds: string[];
  Mounts: readonly object[] | null;
} {
  const volumes = new Map(
    (Mounts ?? []).flatMap((one) =>
      one.Type === "volume" && one.Name ? [[placeOf(one.Destination), one]] : [],
    ),
  );
  const binds = HostConfig.Binds ?? [];
  const mounts = HostConfig.Mounts ?? [];
  const named = new Set([
    ...binds.map((bind) => placeOf(bind.split(":")[1])),
    ...mounts.map(({ Target }) => placeOf(Target)),
    ...Object.keys(record(HostConfig.Tmpfs)).map(placeOf),
  ]);
  // What comes from another container comes from it again; of its own is then only what it declares.
  const fromOthers = (HostConfig.VolumesFrom ?? []).length > 0;
  const declared = new Set(Object.keys(Config.Volumes ?? {}).map(placeOf));
  const anonymous = [...volumes].flatMap(([place, { Name, RW }]) =>
    named.has(place) || (fromOthers && !declared.has(place)) ? [] : [`${Name}:${place}${RW ? "" : ":ro"}`],
  );
  return {
    Binds: [...binds, ...anonymous],
    Mounts:
      HostConfig.Mounts?.map((mount) => {
        const Source = mount.Source || volumes.get(placeOf(mount.Target))?.Name;
        return Source ? { ...mount, Source } : mount;
      }) ?? null,
  };
}

/** What is really mounted, and where: of a container that is only made, too. Volumes that its image alone brings are left out. */
function mountedOf({ Mounts }: Inspected, image: ImageDetail | null, other: Inspected): Json {
  const brought = new Set(Object.keys(record(record(image?.Config).Volumes)).map(placeOf));
  const there = new Set((other.Mounts ?? []).map(({ Destination }) => placeOf(Destination)));
  return Object.fromEntries(
    (Mounts ?? []).flatMap(({ Type, Name, Source, Destination, RW }) => {
      const place = placeOf(Destination);
      if (brought.has(place) && !there.has(place)) return [];
      return [[place, `${Type} ${Name || Source} ${RW ? "rw" : "ro"}`]];
    }),
  );
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
        ...(one.GwPriority ? { GwPriority: one.GwPriority } : {}),
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
  compare(mountedOf(old, from, now), mountedOf(now, to, old), "Mounts", found);
  return found;
}

/** Paths at which two descriptions differ, "TaskTemplate.ContainerSpec.Env"; an empty value is none. */
export function pathsThatDiffer(one: unknown, other: unknown): string[] {
  const found: string[] = [];
  compare(cleaned(one), cleaned(other), "", found);
  return found;
}

/** Without what must differ, and with one word for "nothing". */
function normal(one: Description): unknown {
  // Of mounts what is really there is compared instead.
  const HostConfig = { ...record(one.create.HostConfig), Binds: undefined, Mounts: undefined };
  return cleaned({
    ...one.create,
    HostConfig,
    Env: [...list(one.create.Env)].sort(),
    networks: Object.fromEntries(one.networks.map(({ name, settings }) => [name, settings])),
  });
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(cleaned);
  if (typeof value !== "object" || value === null)
    return value === "" || value === 0 || value === false ? undefined : (value ?? undefined);
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const said = cleaned(inner);
    return said === undefined || key === "com.docker.compose.image" ? [] : [[key, said] as const];
  });
  return entries.length === 0
    ? undefined
    : Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
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
