// Where a Traefik's files are: in its directory, or with Sluice, which serves them to its HTTP provider.
import * as z from "zod";
import { activeStates } from "../../changes/rows";
import { db } from "../../db/client";
import type { ConfigFile } from "./contract";
import { dropLeft, type Held, readDirectory, type StagedFiles, stageDirectory } from "./directory";
import { hashOf, markerFile, markerIn, markerName } from "./marker";
import { inForce, wholeRevision } from "./revisions";
import { applyKindName, noWay, type TraefikServerConfig, targetOf } from "./servers";

/** As a change that is at work keeps it (kind.ts): which files are in their places. */
const atWork = z.object({ places: z.enum(["before", "new"]), tookBack: z.boolean() });
const planShape = z.object({ revision: z.int(), hash: z.string() });

/** The change that is at work on a Traefik's files, or null. */
const changeAt = (traefik: string) =>
  db().change.findFirst({
    where: {
      kind: applyKindName,
      state: { in: [...activeStates] },
      checkpoint: { not: null },
      targets: { some: { target: targetOf(traefik) } },
    },
    orderBy: { id: "asc" },
    select: { id: true, plan: true, checkpoint: true },
  });

/** Whether a change is at work on a Traefik's files: what is there then is nobody's drift. */
export const isChanging = async (traefik: string): Promise<boolean> => (await changeAt(traefik)) !== null;

/** The files that Sluice serves to a Traefik's HTTP provider, and their mark; null while nothing is in force. The same after a restart. */
export async function servedTo(
  traefik: string,
): Promise<{ readonly files: readonly ConfigFile[]; readonly marker: string } | null> {
  const change = await changeAt(traefik);
  const step = change === null ? null : atWork.safeParse(JSON.parse(change.checkpoint ?? "null"));
  if (change !== null && step?.success === true && step.data.places === "new") {
    const { revision, hash } = planShape.parse(JSON.parse(change.plan));
    const { files } = await wholeRevision(traefik, revision);
    return { files, marker: markerName(revision, hash, change.id) };
  }
  const force = await inForce(traefik);
  if (force !== null) {
    const { files } = await wholeRevision(traefik, force.revision);
    return { files, marker: markerName(force.revision, force.hash, force.changeId) };
  }
  // The first change is taken back: Traefik keeps what it has until it is given something else, even if that is nothing.
  return change !== null && step?.success === true && step.data.tookBack
    ? { files: [], marker: markerName(0, hashOf([]), change.id) }
    : null;
}

/** What is there for a Traefik now. Throws AppError, NOT_CONFIGURED where sluice.yaml tells no way. */
export async function heldBy(server: TraefikServerConfig): Promise<Held> {
  if (server.directory !== undefined) return readDirectory(server.directory);
  if (server.provider_token === undefined) throw noWay(server);
  const served = await servedTo(server.name);
  return {
    files: served?.files ?? [],
    apart: [],
    marker: served === null ? null : markerFile(served.marker),
  };
}

/** Makes files ready to be put in their places. Throws AppError. What is served over HTTP changes with the change's own checkpoint. */
export const stageFor = async (
  server: TraefikServerConfig,
  held: Held,
  files: readonly ConfigFile[],
  marker: ConfigFile | null,
  mark: string,
): Promise<StagedFiles> =>
  server.directory === undefined
    ? { place: async () => {}, drop: async () => {} }
    : stageDirectory(server.directory, held, files, marker, mark);

/** Takes away what a run that was cut off left beside places. Never throws. */
export const dropLeftOf = async (
  { directory }: TraefikServerConfig,
  names: readonly string[],
  mark: string,
): Promise<void> => {
  if (directory !== undefined) await dropLeft(directory, names, mark);
};

/** The name under which Traefik shows a mark. */
export const shownName = (server: TraefikServerConfig, marker: string): string =>
  `${marker}@${server.directory === undefined ? "http" : "file"}`;

/** The mark that Traefik should show now; null where there is none. */
export const markerOf = ({ marker }: Held): string | null => markerIn(marker);
