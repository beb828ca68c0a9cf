// The systems that containers are: by the label sluice.role, else by their image's well-known name.
import { type ContainerRow, listContainers } from "./containers";
import { isOwn, ownContainer } from "./self";
import type { DockerEngine } from "./target";

export const discoveredKinds = ["varnish", "redis", "nginx", "mariadb"] as const;
export type DiscoveredKind = (typeof discoveredKinds)[number];

/** A system found among the containers. */
export type Discovered = {
  readonly kind: DiscoveredKind;
  /** The label sluice.name, else the container's name. */
  readonly name: string;
  readonly container: string;
  readonly image: string;
  /** The Compose project it belongs to. */
  readonly project: string | null;
  /** host:port where Sluice reaches it, or null: `why` then says what is missing. */
  readonly address: string | null;
  /** host:port of Varnish's CLI, where it is reached. */
  readonly admin: string | null;
  /** The line that would connect it: under `systems:` in sluice.yaml, or in its Compose service when it cannot be reached. */
  readonly line: string;
  /** How it was recognised, or why it cannot be reached; a key under `problems.` with its values, and in English. */
  readonly why: {
    readonly problem: string;
    readonly params: Readonly<Record<string, string | number>>;
    readonly message: string;
  };
};

/** Last part of an image's name, and the port that image listens on. */
const images: Readonly<Record<string, { kind: DiscoveredKind; port: number }>> = {
  varnish: { kind: "varnish", port: 80 },
  redis: { kind: "redis", port: 6379 },
  valkey: { kind: "redis", port: 6379 },
  nginx: { kind: "nginx", port: 80 },
  mariadb: { kind: "mariadb", port: 3306 },
  mysql: { kind: "mariadb", port: 3306 },
};
const defaultPorts: Readonly<Record<DiscoveredKind, number>> = {
  varnish: 80,
  redis: 6379,
  nginx: 80,
  mariadb: 3306,
};

/** "docker.io/library/varnish:7.1@sha256:…" -> "varnish". */
export const imageName = (image: string): string =>
  image.replace(/@.*$/, "").split("/").at(-1)?.replace(/:.*$/, "") ?? "";

const portOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : null;
const userNetworks = (container: ContainerRow): string[] =>
  // Names are known only on networks that somebody made.
  Object.keys(container.NetworkSettings?.Networks ?? {}).filter(
    (name) => !["bridge", "host", "none"].includes(name),
  );

/**
 * Where a port of a container is reached: by its name when Sluice runs in a container of the same network, else by the port
 * that is published on this host. Never by the container's own address, which only this host's root network reaches.
 */
export function reach(container: ContainerRow, port: number, self: ContainerRow | null): string | null {
  const name = container.Names[0]?.replace(/^\//, "");
  if (self !== null && name !== undefined) {
    const own = userNetworks(self);
    if (userNetworks(container).some((network) => own.includes(network))) return `${name}:${port}`;
  }
  const published = (container.Ports ?? []).filter(
    (one) => one.Type === "tcp" && one.PrivatePort === port && one.PublicPort !== undefined,
  );
  const best =
    published.find((one) => one.IP === "127.0.0.1") ??
    published.find((one) => !one.IP?.includes(":")) ??
    published[0];
  if (best === undefined) return null;
  const ip =
    best.IP === undefined || best.IP === "" || best.IP === "0.0.0.0"
      ? "127.0.0.1"
      : best.IP === "::"
        ? "::1"
        : best.IP;
  return `${ip.includes(":") ? `[${ip}]` : ip}:${best.PublicPort}`;
}

function lineFor(
  kind: DiscoveredKind,
  name: string,
  address: string | null,
  admin: string | null,
  port: number,
): string {
  if (address === null) return `ports: ["127.0.0.1:${port}:${port}"]`;
  const known =
    name
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "") || kind;
  const start = `${kind}: [{ name: ${JSON.stringify(known)}, `;
  if (kind === "redis") return `${start}url: "redis://${address}/0", password: "\${REDIS_PASSWORD}" }]`;
  if (kind === "mariadb") return `${start}address: "${address}" }]`;
  const cli = admin === null ? "" : `, admin: "${admin}", secret: "\${VARNISH_SECRET}"`;
  return `${start}url: "http://${address}"${cli} }]`;
}

/** The systems among these containers, those with the label sluice.role first by its word, others by their image's name. */
export function recognise(containers: readonly ContainerRow[], self: ContainerRow | null): Discovered[] {
  const found: Discovered[] = [];
  for (const container of containers) {
    const labels = container.Labels ?? {};
    const role = labels["sluice.role"];
    const image = imageName(container.Image);
    const byImage = images[image];
    if (container === self || container.State !== "running" || labels["sluice.ignore"] === "true") continue;
    const kind = role === undefined ? byImage?.kind : discoveredKinds.find((one) => one === role);
    if (kind === undefined) continue;
    const name = container.Names[0]?.replace(/^\//, "") ?? container.Id.slice(0, 12);
    const port =
      portOf(labels["sluice.port"]) ?? (byImage?.kind === kind ? byImage.port : defaultPorts[kind]);
    const adminPort = kind === "varnish" ? (portOf(labels["sluice.admin-port"]) ?? 6082) : null;
    const address = reach(container, port, self);
    const admin = adminPort === null ? null : reach(container, adminPort, self);
    const why =
      address === null
        ? {
            problem: "docker.notPublished",
            params: { container: name, port },
            message: `${name} listens on ${port}, which is not published: add "127.0.0.1:${port}:${port}" to its ports.`,
          }
        : role !== undefined
          ? {
              problem: "docker.byLabel",
              params: { container: name, role },
              message: `${name} has the label sluice.role=${role}.`,
            }
          : {
              problem: "docker.byImage",
              params: { container: name, image },
              message: `${name} runs the image ${image}.`,
            };
    found.push({
      kind,
      name: labels["sluice.name"] ?? name,
      container: name,
      image: container.Image,
      project: labels["com.docker.compose.project"] ?? null,
      address,
      admin,
      line: lineFor(kind, labels["sluice.name"] ?? name, address, admin, port),
      why,
    });
  }
  return found.sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

/** The systems that run as containers of this engine. Throws as `readVersion`. */
export async function discover(engine: DockerEngine): Promise<Discovered[]> {
  const containers = await listContainers(engine);
  const own = ownContainer();
  const self = containers.find((one) => isOwn(one.Id, own)) ?? null;
  return recognise(containers, self);
}
