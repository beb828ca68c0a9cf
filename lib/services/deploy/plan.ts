// What a deploy would change, before anybody confirms it: asked of the engine and of the registry.
import { db } from "../../db/client";
import { AppError } from "../../errors/app-error";
import { inspectContainer } from "../../systems/docker/containers";
import { type ImageDetail, inspectImage } from "../../systems/docker/images";
import { isOwn, ownContainer } from "../../systems/docker/self";
import { dependentsOf, isTask, sharesWith } from "../acts/depends";
import { fingerprintOf, refuseChanged } from "../acts/kind";
import type { ServiceRef } from "../contract";
import type { HostWatch } from "../host-watch";
import { services } from "../service";
import type { Watched } from "../watched";
import { isWayTo } from "../way";
import {
  type DeployChoices,
  type DeployInput,
  type DeployPlan,
  deployEvidence,
  deployPlan,
  imageOf,
} from "./contract";
import {
  type AskedImage,
  askedImage,
  fromHost,
  givenBy,
  imageChangesOf,
  tagChoices,
  wantedImage,
} from "./image";

const refuse = (problem: string, message: string, container: string, other = "") =>
  new AppError("INVALID_INPUT", message, { problem, params: { container, other }, field: "id" });

/** Containers that cannot be made again by themselves, with the reason. Throws AppError INVALID_INPUT, FORBIDDEN. */
function refuseSpecial(host: HostWatch, watched: Watched, all: readonly Watched[]): void {
  const { name, id, inspected } = watched;
  if (isOwn(id, ownContainer()))
    throw new AppError("FORBIDDEN", `Sluice runs in ${name}: it cannot replace itself.`, {
      problem: "services.selfDeploy",
      params: { container: name },
      field: "id",
    });
  if (isWayTo(host, watched))
    throw new AppError("FORBIDDEN", `Sluice reaches the Engine through ${name}: it cannot replace that.`, {
      problem: "services.way",
      params: { container: name },
      field: "id",
    });
  if (isTask(watched))
    throw refuse("services.swarmTask", `${name} is a task of a Swarm: its service is what is updated.`, name);
  if (inspected.HostConfig.AutoRemove)
    throw refuse(
      "services.autoRemove",
      `${name} removes itself when it stops (--rm): there would be no way back.`,
      name,
    );
  if (inspected.State.Status === "paused")
    throw refuse("services.paused", `${name} is paused: let it continue first.`, name);
  const inside = all.find((one) => sharesWith(one, watched));
  if (inside !== undefined)
    throw refuse(
      "services.sharedNetwork",
      `${inside.name} lives in the network or the processes of ${name} and would lose them.`,
      name,
      inside.name,
    );
}

/** The image that was asked for: by its id what is on the host, or what its digest still names; else what the registry has. */
async function targetOf(
  { host, imageId, digest }: DeployInput,
  image: string,
  old: ImageDetail | null,
  signal: AbortSignal,
): Promise<AskedImage> {
  // The tag may name another image by now, and that one was not asked for.
  const wanted = imageId ?? (image.startsWith("sha256:") ? image : null);
  if (wanted === null) return askedImage(host, image, old, signal);
  const local = await inspectImage(services().host(host).engine, wanted);
  if (local !== null) return fromHost(image, local);
  if (digest !== undefined) {
    const { to, given } = await askedImage(host, digest, old, signal);
    return { to: { ...to, image, pull: digest }, given };
  }
  throw new AppError("NOT_FOUND", `${host} has no image ${wanted.slice(0, 19)} any more.`, {
    problem: "services.imageGone",
    params: { image: `${image} (${wanted.slice(7, 19)})` },
    field: "image",
  });
}

/** Throws AppError INVALID_INPUT, NOT_FOUND, FORBIDDEN, CONFLICT, UPSTREAM_AUTH, and as the engine's and registry's calls. */
export async function planDeploy(input: DeployInput, signal: AbortSignal): Promise<DeployPlan> {
  const { host, watched } = services().find({ host: input.host, id: input.id });
  const all = [...host.containers.values()];
  refuseSpecial(host, watched, all);
  const now = await inspectContainer(host.engine, watched.id);
  const print = fingerprintOf(now);
  if (input.expected !== undefined) refuseChanged(input.expected, print);
  const image = wantedImage(input.image, now.Config.Image);
  const old = await inspectImage(host.engine, now.Image);
  const { to, given } = await targetOf(input, image, old, signal);
  if (input.expectedImage !== undefined && input.expectedImage !== imageOf(to))
    throw new AppError("CONFLICT", `${image} names another image now than the plan that was shown.`, {
      problem: "services.tagMoved",
      params: { image },
      field: "image",
    });
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
    to,
    ...imageChangesOf(givenBy(old), given),
    neededBy: dependentsOf(watched, all)
      .filter(({ running }) => running)
      .map(({ name }) => name),
    compose: watched.labels["com.docker.compose.project"] !== undefined && image !== now.Config.Image,
    watchMs: input.watchMs,
  });
}

/** What could be deployed for a container. A registry that does not answer leaves what it ran before. Throws AppError NOT_FOUND. */
export async function deployChoices(ref: ServiceRef, signal?: AbortSignal): Promise<DeployChoices> {
  const { watched } = services().find(ref);
  const [choices, earlier] = await Promise.all([
    tagChoices(watched.inspected.Config.Image, signal),
    earlierDeploys(ref.host, watched.name),
  ]);
  return { ...choices, earlier };
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
    const { image, imageId, digest } = plan.data.from;
    return [
      {
        change: row.id,
        at: row.createdAt.toISOString(),
        image,
        imageId,
        digest,
        outcome: evidence.data?.outcome ?? null,
      },
    ];
  });
}
