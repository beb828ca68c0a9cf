// What services of a Swarm were before our changes, kept whole: the Swarm itself remembers one description only.
import { db } from "../../db/client";
import { AppError } from "../../errors/app-error";
import { imageOf, inspectService, type ServiceSpec, serviceSpec } from "../../systems/docker/swarm";
import { tagChoices } from "../deploy/image";
import { services } from "../service";
import type { SwarmChoices } from "./contract";

/** So many of each service. */
const keptSpecs = 20;

/** Keeps what a change is about to replace; again under the same number it changes nothing. */
export async function keepSpec(
  changeId: number,
  host: string,
  serviceId: string,
  spec: ServiceSpec,
): Promise<void> {
  const row = { host, serviceId, image: imageOf(spec), at: new Date(), spec: JSON.stringify(spec) };
  await db().swarmSpec.upsert({ where: { changeId }, create: { changeId, ...row }, update: {} });
  const oldest = await db().swarmSpec.findMany({
    where: { host, serviceId },
    orderBy: { changeId: "desc" },
    skip: keptSpecs,
    select: { changeId: true },
  });
  await db().swarmSpec.deleteMany({ where: { changeId: { in: oldest.map((one) => one.changeId) } } });
}

/** What a service was before that change. Throws AppError NOT_FOUND when it is not kept (any more). */
export async function keptSpec(changeId: number, host: string, serviceId: string): Promise<ServiceSpec> {
  const row = await db().swarmSpec.findFirst({ where: { changeId, host, serviceId } });
  const read = serviceSpec.safeParse(row === null ? null : JSON.parse(row.spec));
  if (read.success) return read.data;
  throw new AppError("NOT_FOUND", "The description of that deploy is not kept any more.", {
    problem: "swarm.specGone",
    field: "image",
  });
}

/** What could be deployed for a service. Throws AppError NOT_FOUND, and as `inspectService`. */
export async function swarmChoicesOf(
  host: string,
  name: string,
  signal?: AbortSignal,
): Promise<SwarmChoices> {
  const service = await inspectService(services().host(host).engine, name);
  const [choices, rows] = await Promise.all([
    tagChoices(imageOf(service.Spec), signal),
    db().swarmSpec.findMany({
      where: { host, serviceId: service.ID },
      orderBy: { changeId: "desc" },
      select: { changeId: true, at: true, image: true },
    }),
  ]);
  return {
    ...choices,
    earlier: rows.map(({ changeId, at, image }) => ({ kept: changeId, at: at.toISOString(), image })),
  };
}
