// The images of what runs: where each is used, how old and how large it is, and whether there is a newer one.
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import { type ImageDetail, inspectImage } from "../systems/docker/images";
import { familiarName, newerTags, parseReference } from "../systems/oci/reference";
import {
  headManifest,
  imageDetail,
  listTags,
  type ImageDetail as RegistryImage,
} from "../systems/oci/registry";
import type { ImageRow, ImageTags } from "./contract";
import type { HostWatch } from "./host-watch";
import { registryFor, registryProblem } from "./registries";
import { services } from "./service";
import { checkImage, keepCheck, updateOf } from "./updates";

function rowOf(host: HostWatch, image: string, id: string, detail: ImageDetail | null): ImageRow {
  const at = Date.parse(detail?.Created ?? "");
  let name = image;
  let tag: string | null = null;
  try {
    // An id instead of a name is shown as it stands.
    const reference = image.startsWith("sha256:") ? null : parseReference(image);
    name = reference === null ? image.slice(0, 19) : familiarName(reference);
    tag = reference?.tag ?? null;
  } catch {
    // A name that the engine took and we do not understand, too.
  }
  return {
    host: host.engine.name,
    image,
    repository: name,
    tag,
    imageId: id,
    digest: detail?.RepoDigests?.[0]?.split("@")[1] ?? null,
    size: detail?.Size ?? null,
    createdAt: Number.isNaN(at) || at <= 0 ? null : new Date(at).toISOString(),
    containers: [...host.containers.values()]
      .filter(({ inspected }) => inspected.Image === id && inspected.Config.Image === image)
      .map((watched) => watched.name)
      .sort(),
    update: updateOf(host.engine.name, image, id),
  };
}

/** Every image that a container of ours is made of, by host and name. A host that does not answer tells what is known without it. */
export async function imagesInUse(): Promise<ImageRow[]> {
  const rows = await Promise.all(
    services()
      .hosts()
      .map(async (host) => {
        const used = new Map<string, { image: string; id: string }>();
        for (const { inspected } of host.containers.values())
          used.set(`${inspected.Config.Image} ${inspected.Image}`, {
            image: inspected.Config.Image,
            id: inspected.Image,
          });
        return Promise.all(
          [...used.values()].map(async ({ image, id }) =>
            rowOf(host, image, id, host.up ? await inspectImage(host.engine, id).catch(() => null) : null),
          ),
        );
      }),
  );
  return rows.flat().sort((a, b) => a.image.localeCompare(b.image) || a.host.localeCompare(b.host));
}

/** Asks the registry about one image now. Throws AppError NOT_FOUND when no container of that host is made of it. */
export async function checkNow(hostName: string, image: string): Promise<ImageRow> {
  const host = services().host(hostName);
  const watched = [...host.containers.values()].find(({ inspected }) => inspected.Config.Image === image);
  if (watched === undefined) throw noImage(hostName, image);
  const id = watched.inspected.Image;
  await keepCheck(services(), host, image, id, await checkImage(host, image, id, true));
  return rowOf(host, image, id, await inspectImage(host.engine, id).catch(() => null));
}

const pageSize = 5;
const maxTags = 5000;
/** What a digest stands for never changes. */
const details = () => singleton("services.images.details", () => new Map<string, RegistryImage>());
const maxDetails = 1000;

/**
 * Some tags of the repository that a container's image is of, newer versions first, each with its size and date. One that cannot
 * be read says why, and the others are told. Throws AppError NOT_FOUND, INVALID_INPUT (pinned or built here), and as `listTags`.
 */
export async function imageTags(
  { host: hostName, image, from }: { host: string; image: string; from: number },
  signal?: AbortSignal,
): Promise<ImageTags> {
  const host = services().host(hostName);
  const watched = [...host.containers.values()].find(({ inspected }) => inspected.Config.Image === image);
  if (watched === undefined || image.startsWith("sha256:")) throw noImage(hostName, image);
  const reference = parseReference(image);
  const registry = registryFor(reference);
  const local = await inspectImage(host.engine, watched.inspected.Image).catch(() => null);
  const platform = {
    os: local?.Os ?? "linux",
    architecture: local?.Architecture ?? "amd64",
    variant: local?.Variant ?? null,
  };
  const { tags, whole } = await listTags(registry, reference.repository, maxTags, signal);
  const newer = new Set(newerTags(reference.tag ?? "", tags));
  const others = tags
    .filter((tag) => !newer.has(tag))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  const ordered = [...newer, ...others];
  const read = async (tag: string): Promise<ImageTags["tags"][number]> => {
    const none = { tag, newer: newer.has(tag), digest: null, size: null, createdAt: null, problem: null };
    try {
      // A HEAD is no pull where pulls are counted; the rest is asked for once.
      const { digest } = await headManifest(registry, reference.repository, tag, signal);
      const key = `${registry.url} ${reference.repository} ${digest} ${JSON.stringify(platform)}`;
      const known =
        details().get(key) ??
        keep(key, await imageDetail(registry, reference.repository, digest, platform, signal));
      const { size, createdAt } = known;
      return { ...none, digest, size, createdAt };
    } catch (error) {
      return { ...none, problem: registryProblem(error, reference) };
    }
  };
  return {
    repository: familiarName(reference),
    total: tags.length,
    whole,
    tags: await Promise.all(ordered.slice(from, from + pageSize).map(read)),
  };
}

function keep(key: string, detail: RegistryImage): RegistryImage {
  const [oldest] = details().keys();
  if (details().size >= maxDetails && oldest !== undefined) details().delete(oldest);
  details().set(key, detail);
  return detail;
}

const noImage = (host: string, image: string) =>
  new AppError("NOT_FOUND", `Nothing on ${host} is made of ${image.slice(0, 120)}.`, {
    problem: "services.noImage",
    params: { host, image: image.slice(0, 120) },
    field: "image",
  });
