// What a deploy would change, before anybody confirms it: asked of the engine and of the registry.
import { db } from "../../db/client";
import { AppError, toAppError } from "../../errors/app-error";
import { inspectContainer } from "../../systems/docker/containers";
import { type ImageDetail, inspectImage } from "../../systems/docker/images";
import { isOwn, ownContainer } from "../../systems/docker/self";
import {
  familiarName,
  formatReference,
  newerTags,
  parseReference,
  tagPattern,
} from "../../systems/oci/reference";
import { imageDetail, listTags } from "../../systems/oci/registry";
import { dependentsOf } from "../acts/depends";
import { fingerprintOf, refuseChanged } from "../acts/kind";
import type { ServiceRef } from "../contract";
import { registryFor } from "../registries";
import { services } from "../service";
import type { Watched } from "../watched";
import {
  type DeployChoices,
  type DeployInput,
  type DeployPlan,
  deployEvidence,
  deployPlan,
} from "./contract";

const refuse = (problem: string, message: string, container: string, other = "") =>
  new AppError("INVALID_INPUT", message, { problem, params: { container, other }, field: "id" });

/** Containers that cannot be made again by themselves, with the reason. Throws AppError INVALID_INPUT, FORBIDDEN. */
function refuseSpecial(watched: Watched, all: readonly Watched[]): void {
  const { name, id, labels, inspected } = watched;
  if (isOwn(id, ownContainer()))
    throw new AppError("FORBIDDEN", `Sluice runs in ${name}: it cannot replace itself.`, {
      problem: "services.selfDeploy",
      params: { container: name },
      field: "id",
    });
  if (labels["com.docker.swarm.task.id"] !== undefined)
    throw refuse("services.swarmTask", `${name} is a task of a Swarm: its service is what is updated.`, name);
  if (inspected.HostConfig.AutoRemove)
    throw refuse(
      "services.autoRemove",
      `${name} removes itself when it stops (--rm): there would be no way back.`,
      name,
    );
  const inside = all.find((one) => one.inspected.HostConfig.NetworkMode === `container:${id}`);
  if (inside !== undefined)
    throw refuse(
      "services.sharedNetwork",
      `${inside.name} lives in the network of ${name} and would lose it.`,
      name,
      inside.name,
    );
}

/** "1.28" or ":1.28" is a tag of what runs now. */
function wantedImage(asked: string, current: string): string {
  const tag = asked.replace(/^:/, "");
  const known = parsedOrNull(current);
  const isTag = asked.startsWith(":") || (/^v?\d/.test(asked) && tagPattern.test(asked));
  if (isTag && known !== null) return formatReference({ ...known, tag, digest: null });
  return asked;
}

const parsedOrNull = (image: string) => {
  try {
    return image.startsWith("sha256:") ? null : parseReference(image);
  } catch {
    return null;
  }
};

type Given = {
  readonly env: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>> | null;
};
const givenBy = (image: ImageDetail | null): Given => ({
  env: image?.Config?.Env ?? null,
  labels: image?.Config?.Labels ?? (image === null ? null : {}),
});

function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    const what =
      old === undefined
        ? ("added" as const)
        : now === undefined
          ? ("removed" as const)
          : ("changed" as const);
    return [{ name, what }];
  });
}

const envMap = (env: readonly string[] | null) =>
  new Map((env ?? []).map((one) => [one.split("=", 1)[0] ?? "", one] as const));

/** Throws AppError INVALID_INPUT, NOT_FOUND, FORBIDDEN, CONFLICT, UPSTREAM_AUTH, and as the engine's and registry's calls. */
export async function planDeploy(input: DeployInput, signal: AbortSignal): Promise<DeployPlan> {
  const { host, watched } = services().find({ host: input.host, id: input.id });
  const all = [...host.containers.values()];
  refuseSpecial(watched, all);
  const now = await inspectContainer(host.engine, watched.id);
  const print = fingerprintOf(now);
  if (input.expected !== undefined) refuseChanged(input.expected, print);
  const image = wantedImage(input.image, now.Config.Image);
  const old = await inspectImage(host.engine, now.Image);
  const pinned = input.imageId === undefined ? null : await inspectImage(host.engine, input.imageId);
  const isId = image.startsWith("sha256:");
  // By its id it must be here: the tag may name another image by now, and that one was not asked for.
  const wanted = input.imageId ?? (isId ? image : null);
  if (wanted !== null && (await inspectImage(host.engine, wanted)) === null)
    throw new AppError("NOT_FOUND", `${input.host} has no image ${wanted.slice(0, 19)} any more.`, {
      problem: "services.imageGone",
      params: { image: `${image} (${wanted.slice(7, 19)})` },
      field: "image",
    });
  const local = pinned ?? (isId ? await inspectImage(host.engine, image) : null);
  const to = local === null ? await fromRegistry(input.host, image, old, signal) : fromHost(image, local);
  const before = givenBy(old);
  const labelsBefore = new Map(Object.entries(before.labels ?? {}));
  return deployPlan.parse({
    host: input.host,
    container: {
      ...print,
      id: watched.id,
      project: watched.labels["com.docker.compose.project"] ?? null,
      service: watched.labels["com.docker.compose.service"] ?? null,
      healthCheck: now.State.Health != null,
    },
    from: { image: now.Config.Image, imageId: now.Image, digest: old?.RepoDigests?.[0] ?? null },
    to: to.to,
    env: to.given.env === null ? null : changesOf(envMap(before.env), envMap(to.given.env)),
    labels:
      to.given.labels === null ? null : changesOf(labelsBefore, new Map(Object.entries(to.given.labels))),
    neededBy: dependentsOf(watched, all)
      .filter(({ running }) => running)
      .map(({ name }) => name),
    compose: watched.labels["com.docker.compose.project"] !== undefined && image !== now.Config.Image,
    watchMs: input.watchMs,
  });
}

const fromHost = (image: string, local: ImageDetail) => ({
  to: {
    image,
    imageId: local.Id,
    digest: local.RepoDigests?.[0]?.split("@")[1] ?? null,
    size: local.Size ?? null,
    createdAt: isoOrNull(local.Created),
    local: true,
  },
  given: givenBy(local),
});

const isoOrNull = (text: string | null | undefined): string | null => {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : new Date(at).toISOString();
};

/** What the registry has; when it has nothing, or does not answer, what the host has under that name. */
async function fromRegistry(hostName: string, image: string, old: ImageDetail | null, signal: AbortSignal) {
  const reference = parseReference(image);
  const { engine } = services().host(hostName);
  const platform = {
    os: old?.Os ?? "linux",
    architecture: old?.Architecture ?? "amd64",
    variant: old?.Variant ?? null,
  };
  try {
    const there = await imageDetail(
      registryFor(reference),
      reference.repository,
      reference.digest ?? reference.tag ?? "latest",
      platform,
      signal,
    );
    const { digest, imageId, size, createdAt, env, labels } = there;
    return { to: { image, imageId, digest, size, createdAt, local: false }, given: { env, labels } };
  } catch (error) {
    // Built on the host, or its registry is away: then what is here is what can be deployed.
    const local = await inspectImage(engine, image);
    if (local === null) throw atImage(error);
    return fromHost(image, local);
  }
}

function atImage(error: unknown): AppError {
  const known = toAppError(error);
  return new AppError(known.code, known.message, { ...known.detail, field: "image", cause: error });
}

const maxChoices = 200;

/** What could be deployed for a container. A registry that does not answer leaves what it ran before. Throws AppError NOT_FOUND. */
export async function deployChoices(ref: ServiceRef, signal?: AbortSignal): Promise<DeployChoices> {
  const { watched } = services().find(ref);
  const image = watched.inspected.Config.Image;
  const earlier = await earlierDeploys(ref.host, watched.name);
  const none = { image, tags: [], newer: [], whole: true, earlier };
  const reference = parsedOrNull(image);
  if (reference === null) return { ...none, problem: { problem: "oci.pinned", params: {} } };
  try {
    const { tags, whole } = await listTags(registryFor(reference), reference.repository, 5000, signal);
    const newer = newerTags(reference.tag ?? "", tags);
    const others = tags
      .filter((tag) => !newer.includes(tag))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
    return {
      ...none,
      image: familiarName(reference),
      tags: [...newer, ...others].slice(0, maxChoices),
      newer: newer.slice(0, maxChoices),
      whole: whole && tags.length <= maxChoices,
      problem: null,
    };
  } catch (error) {
    const { detail } = toAppError(error);
    return {
      ...none,
      image: familiarName(reference),
      problem: {
        problem: detail.problem ?? "oci.failed",
        params: { registry: reference.registry, says: "", ...detail.params },
      },
    };
  }
}

/** What this container ran before each of its deploys, newest first, once each. */
async function earlierDeploys(host: string, name: string): Promise<DeployChoices["earlier"]> {
  const rows = await db().change.findMany({
    where: {
      kind: "service.deploy",
      targets: { some: { target: `container:${host}/${name}` } },
      state: { in: ["done", "undone"] },
    },
    orderBy: { id: "desc" },
    take: 20,
    select: { id: true, createdAt: true, plan: true, evidence: true },
  });
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    const plan = deployPlan.safeParse(JSON.parse(row.plan));
    const evidence = deployEvidence.safeParse(row.evidence === null ? null : JSON.parse(row.evidence));
    if (!plan.success || seen.has(plan.data.from.imageId)) return [];
    seen.add(plan.data.from.imageId);
    const { image, imageId } = plan.data.from;
    return [
      {
        change: row.id,
        at: row.createdAt.toISOString(),
        image,
        imageId,
        outcome: evidence.data?.outcome ?? null,
      },
    ];
  });
}
