// Whether newer images exist of what runs: asked of the registries every six hours with jitter, kept in the database, never by a page.
import { setTimeout as sleep } from "node:timers/promises";
import { config } from "../config/load";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { inspectImage } from "../systems/docker/images";
import { type ImageReference, newerTags, parseReference } from "../systems/oci/reference";
import {
  headManifest,
  type ImageDetail,
  imageDetail,
  listTags,
  type Platform,
} from "../systems/oci/registry";
import type { ServicesCollector } from "./collector";
import { type ImageUpdate, imageUpdate } from "./contract";
import type { HostWatch } from "./host-watch";
import { registryFor, registryProblem } from "./registries";

/** After a failure it is tried again sooner. */
const retryMs = 3_600_000;
/** Time between two questions: a registry's limits are for everybody behind one address. */
const paceMs = 2000;
/** How often it is looked whether something is due. */
const roundMs = 10_000;
const maxTags = 5;
/** What a registry said of a tag holds for the other hosts that use it. */
const answerKeptMs = 60_000;
/** A registry that limits us without saying for how long. */
const limitedMs = 900_000;

/** What runs is asked about every few hours: an image whose last answer is so old is not used any more. */
const forgottenMs = 30 * 86_400_000;

const keyOf = (host: string, image: string, imageId: string): string => `${host}\n${image}\n${imageId}`;
const known = () => singleton("services.updates", () => new Map<string, ImageUpdate>());

/** What is known of a newer image, or null. */
export const updateOf = (host: string, image: string, imageId: string): ImageUpdate | null =>
  known().get(keyOf(host, image, imageId)) ?? null;

/** What a registry says of a tag; asked once for all hosts that use it. */
type Said = {
  readonly digest: string;
  readonly tags: readonly string[];
  /** The image behind it for a platform; asked for only where the digest is another one. */
  detail(platform: Platform): Promise<ImageDetail>;
};
type Asked = { readonly at: number; readonly said: Promise<Said> };
const answers = () => singleton("services.updates.answers", () => new Map<string, Asked>());

function once<T>(kept: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const asked = ask();
  kept.set(key, asked);
  return asked;
}

function askOnce(image: string, reference: ImageReference, tag: string): Promise<Said> {
  for (const [key, { at }] of answers()) if (Date.now() - at > answerKeptMs) answers().delete(key);
  const known = answers().get(image);
  if (known !== undefined) return known.said;
  const registry = registryFor(reference);
  const { repository } = reference;
  const details = new Map<string, Promise<ImageDetail>>();
  const said = (async () => {
    // A HEAD is no pull where pulls are counted.
    const { digest } = await headManifest(registry, repository, tag);
    const { tags } = await listTags(registry, repository);
    return {
      digest,
      tags: newerTags(tag, tags).slice(0, maxTags),
      detail: (platform: Platform) =>
        once(details, JSON.stringify(platform), () => imageDetail(registry, repository, tag, platform)),
    };
  })();
  answers().set(image, { at: Date.now(), said });
  said.catch(() => answers().delete(image));
  return said;
}

/** Registries that said "not now", and until when; ms. */
const resting = () => singleton("services.updates.resting", () => new Map<string, number>());

/** Whether this image's registry asked to be left alone for now. */
export function isResting(image: string, now = Date.now()): boolean {
  try {
    return (resting().get(parseReference(image).registry) ?? 0) > now;
  } catch {
    return false;
  }
}

/**
 * What its registry says of one image now: whether the tag has another image for this platform, and which newer tags there are.
 * `fresh`: not what was said a moment ago. Never throws: what failed is said in the answer.
 */
export async function checkImage(
  host: HostWatch,
  image: string,
  imageId: string,
  fresh = false,
): Promise<ImageUpdate> {
  if (fresh) answers().delete(image);
  const checkedAt = new Date().toISOString();
  const unknown = (problem: ToldProblem): ImageUpdate => ({ state: "unknown", tags: [], problem, checkedAt });
  let reference: ImageReference | null = null;
  try {
    const local = await inspectImage(host.engine, imageId);
    const digests = (local?.RepoDigests ?? []).map((one) => one.split("@")[1] ?? "");
    // Built on the host: no registry has ever seen it.
    if (local === null || digests.length === 0 || image.startsWith("sha256:"))
      return unknown({ problem: "oci.builtHere", params: {} });
    reference = parseReference(image);
    if (reference.tag === null) return unknown({ problem: "oci.pinned", params: {} });
    const { digest, tags, detail } = await askOnce(image, reference, reference.tag);
    const isSame = async (): Promise<boolean> => {
      if (digests.includes(digest)) return true;
      // An index changes whenever any of its platforms does: only ours counts.
      const now = await detail({
        os: local.Os ?? "linux",
        architecture: local.Architecture ?? "amd64",
        variant: local.Variant ?? null,
      });
      return digests.includes(now.platformDigest) || now.imageId === imageId;
    };
    const state = (await isSame()) ? (tags.length > 0 ? "tags" : "same") : "newer";
    return { state, tags: [...tags], problem: null, checkedAt };
  } catch (error) {
    const { code, detail } = toAppError(error);
    if (code === "UPSTREAM_LIMIT" && reference !== null)
      resting().set(reference.registry, Date.now() + (detail.retryAfterMs ?? limitedMs));
    return unknown(registryProblem(error, reference ?? { registry: image }));
  }
}

/** Forgets what was said of images that nobody asked about for long: no container is made of them any more. */
async function forgetOld(): Promise<void> {
  const before = new Date(Date.now() - Math.max(forgottenMs, config().updates.every * 2));
  await db().imageCheck.deleteMany({ where: { checkedAt: { lt: before } } });
  for (const [key, { checkedAt }] of known()) if (new Date(checkedAt) < before) known().delete(key);
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
  await forgetOld();
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
          if (stop.signal.aborted || isResting(Config.Image) || !isDue(known().get(key))) continue;
          const result = await checkImage(host, Config.Image, Image);
          await keepCheck(collector, host, Config.Image, Image, result);
          if (result.problem?.problem !== "oci.builtHere") await pause(paceMs);
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
