// Whether newer images exist of what runs: asked of the registries every six hours with jitter, kept in the database, never by a page.
import { setTimeout as sleep } from "node:timers/promises";
import { config } from "../config/load";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { inspectImage } from "../systems/docker/images";
import { newerTags, parseReference } from "../systems/oci/reference";
import { imageDetail, listTags } from "../systems/oci/registry";
import type { ServicesCollector } from "./collector";
import { type ImageUpdate, imageUpdate } from "./contract";
import type { HostWatch } from "./host-watch";
import { registryFor } from "./registries";

/** After a failure it is tried again sooner. */
const retryMs = 3_600_000;
/** Time between two questions: a registry's limits are for everybody behind one address. */
const paceMs = 2000;
/** How often it is looked whether something is due. */
const roundMs = 10_000;
const maxTags = 5;

const keyOf = (host: string, image: string, imageId: string): string => `${host}\n${image}\n${imageId}`;
const known = () => singleton("services.updates", () => new Map<string, ImageUpdate>());

/** What is known of a newer image, or null. */
export const updateOf = (host: string, image: string, imageId: string): ImageUpdate | null =>
  known().get(keyOf(host, image, imageId)) ?? null;

/** Asks the registry of one image now. Never throws: what failed is said in the answer. */
export async function checkImage(host: HostWatch, image: string, imageId: string): Promise<ImageUpdate> {
  const checkedAt = new Date().toISOString();
  const unknown = (problem: string): ImageUpdate => ({ state: "unknown", tags: [], problem, checkedAt });
  try {
    const local = await inspectImage(host.engine, imageId);
    const digests = (local?.RepoDigests ?? []).map((one) => one.split("@")[1] ?? "");
    // Built on the host: no registry has ever seen it.
    if (local === null || digests.length === 0 || image.startsWith("sha256:"))
      return unknown("oci.builtHere");
    const reference = parseReference(image);
    if (reference.tag === null) return unknown("oci.pinned");
    const registry = registryFor(reference);
    const platform = {
      os: local.Os ?? "linux",
      architecture: local.Architecture ?? "amd64",
      variant: local.Variant,
    };
    const now = await imageDetail(registry, reference.repository, reference.tag, platform);
    // An index changes whenever any of its platforms does: only ours counts.
    const same =
      digests.includes(now.digest) || digests.includes(now.platformDigest) || now.imageId === imageId;
    if (!same) return { state: "newer", tags: [], problem: null, checkedAt };
    const { tags } = await listTags(registry, reference.repository);
    const newer = newerTags(reference.tag, tags).slice(0, maxTags);
    return { state: newer.length > 0 ? "tags" : "same", tags: newer, problem: null, checkedAt };
  } catch (error) {
    return unknown(toAppError(error).detail.problem ?? "oci.failed");
  }
}

/** Keeps what a registry said, and tells every viewer of the containers it is about. */
export async function keepCheck(
  collector: ServicesCollector,
  host: HostWatch,
  image: string,
  imageId: string,
  result: ImageUpdate,
): Promise<void> {
  const id = { host: host.engine.name, image, imageId };
  known().set(keyOf(id.host, image, imageId), result);
  const row = { checkedAt: new Date(result.checkedAt), result: JSON.stringify(result) };
  await db().imageCheck.upsert({
    where: { host_image_imageId: id },
    create: { ...id, ...row },
    update: row,
  });
  for (const one of host.containers.values()) if (one.inspected.Image === imageId) collector.touch(one);
}

/** Looks after all images of all hosts. Returns the way to stop. */
export function startUpdates(collector: ServicesCollector): () => Promise<void> {
  const stop = new AbortController();
  const jitter = Math.random() * 0.2 + 0.9;
  const isDue = (update: ImageUpdate | undefined): boolean => {
    if (update === undefined) return true;
    const every = config().updates.every;
    const wait = update.state === "unknown" ? Math.min(retryMs, every) : every;
    return Date.now() - Date.parse(update.checkedAt) > wait * jitter;
  };
  const work = async () => {
    for (const row of await db().imageCheck.findMany()) {
      const read = imageUpdate.safeParse(JSON.parse(row.result));
      if (read.success) known().set(keyOf(row.host, row.image, row.imageId), read.data);
    }
    while (!stop.signal.aborted) {
      for (const host of config().updates.enabled ? collector.hosts() : []) {
        if (!host.up) continue;
        for (const watched of [...host.containers.values()]) {
          const { Config, Image } = watched.inspected;
          const key = keyOf(host.engine.name, Config.Image, Image);
          if (stop.signal.aborted || !isDue(known().get(key))) continue;
          const result = await checkImage(host, Config.Image, Image);
          await keepCheck(collector, host, Config.Image, Image, result);
          if (result.problem !== "oci.builtHere") await pause(paceMs);
        }
      }
      await pause(roundMs);
    }
  };
  const pause = (ms: number) => sleep(ms, undefined, { signal: stop.signal }).catch(() => {});
  const working = work().catch((error: unknown) => {
    if (!stop.signal.aborted) log.error({ err: error }, "looking for newer images ended");
  });
  return async () => {
    stop.abort();
    await working;
  };
}
