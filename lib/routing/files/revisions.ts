// Revisions of Traefik's files in the database: saved by people, or found in a directory. None is ever changed or taken away.
import * as z from "zod";
import { db } from "../../db/client";
import { AppError } from "../../errors/app-error";
import {
  type ConfigFile,
  configFiles,
  type FileRevision,
  type FileRevisionRow,
  type SavedFiles,
} from "./contract";
import { tooLarge } from "./directory";
import { hashOf, markerFileName } from "./marker";
import { applyKindName, targetOf } from "./servers";

type Row = Awaited<ReturnType<ReturnType<typeof db>["routingRevision"]["findFirstOrThrow"]>>;

const filesOf = (row: Pick<Row, "files">): ConfigFile[] => configFiles.parse(JSON.parse(row.files));

/** A revision's files, secrets in them as they are, and their hash. */
export type WholeRevision = {
  readonly number: number;
  readonly files: ConfigFile[];
  readonly hash: string;
};

/** Throws AppError NOT_FOUND. */
export async function wholeRevision(traefik: string, number: number): Promise<WholeRevision> {
  const row = await stored(traefik, number);
  return { number, files: filesOf(row), hash: row.hash };
}

async function stored(traefik: string, number: number): Promise<Row> {
  const row = await db().routingRevision.findUnique({ where: { traefik_number: { traefik, number } } });
  if (row !== null) return row;
  throw new AppError("NOT_FOUND", `There is no revision ${number} of ${traefik.slice(0, 100)}.`, {
    problem: "routing.noRevision",
    params: { traefik: traefik.slice(0, 100), number },
  });
}

/** The files of the newest revisions, the newest first. */
export async function newestFiles(traefik: string, count: number): Promise<ConfigFile[][]> {
  const rows = await db().routingRevision.findMany({
    where: { traefik },
    orderBy: { number: "desc" },
    take: count,
    select: { files: true },
  });
  return rows.map(filesOf);
}

/** The newest revision's number, or null. */
export async function newestOf(traefik: string): Promise<number | null> {
  const newest = await db().routingRevision.aggregate({ where: { traefik }, _max: { number: true } });
  return newest._max.number;
}

/** The newest revision whose files have this hash, or null. */
export async function revisionWith(traefik: string, hash: string): Promise<number | null> {
  const row = await db().routingRevision.findFirst({
    where: { traefik, hash },
    orderBy: { number: "desc" },
    select: { number: true },
  });
  return row?.number ?? null;
}

/**
 * The next revision. Numbers are given one after the other, whoever saves at the same time. Throws AppError TOO_LARGE for what could not be
 * read again: secrets may be longer than the marks that stood for them.
 */
async function next(
  traefik: string,
  files: readonly ConfigFile[],
  data: Pick<Row, "parent" | "author" | "reason" | "origin">,
  allowed: (newest: number | null) => void = () => {},
): Promise<number> {
  if (!configFiles.safeParse(files).success) throw tooLarge(traefik);
  return db().$transaction(async (step) => {
    const newest = (await step.routingRevision.aggregate({ where: { traefik }, _max: { number: true } }))._max
      .number;
    allowed(newest);
    const number = (newest ?? 0) + 1;
    await step.routingRevision.create({
      data: { ...data, traefik, number, files: JSON.stringify(files), hash: hashOf(files) },
    });
    return number;
  });
}

/**
 * Saves what somebody wrote, secrets in it as they are. Throws AppError CONFLICT when another revision was saved since the work on it
 * began, INVALID_INPUT for a file of the mark's name.
 */
export async function saveRevision(saved: SavedFiles, author: string): Promise<number> {
  const { traefik, files, parent, reason } = saved;
  if (files.some(({ name }) => name === markerFileName))
    throw new AppError("INVALID_INPUT", `${markerFileName} is the file of Sluice's own mark.`, {
      problem: "routing.markerName",
      params: { file: markerFileName },
      field: "files",
    });
  return next(
    traefik,
    files,
    { parent, author, reason: reason === undefined || reason === "" ? null : reason, origin: "saved" },
    (newest) => {
      if (newest === saved.newest) return;
      throw new AppError("CONFLICT", `Revision ${newest} was saved meanwhile: look at it first.`, {
        problem: "routing.newer",
        params: { number: newest ?? 0 },
      });
    },
  );
}

/** Keeps what was in a directory, so that there is a way back to it: the revision that has these files already, or a new one. */
export const keepFound = async (traefik: string, files: readonly ConfigFile[]): Promise<number> =>
  (await revisionWith(traefik, hashOf(files))) ??
  next(traefik, files, { parent: null, author: traefik, reason: null, origin: "found" });

/** What Sluice made by itself of another revision: the revision that has these files already, or a new one. */
export const keepMade = async (
  traefik: string,
  files: readonly ConfigFile[],
  made: { readonly parent: number | null; readonly author: string; readonly reason: string },
): Promise<number> =>
  (await revisionWith(traefik, hashOf(files))) ?? next(traefik, files, { ...made, origin: "saved" });

const mostListed = 200;

/** A Traefik's newest 200 revisions, the newest first. */
export async function revisionsOf(traefik: string): Promise<FileRevisionRow[]> {
  const [rows, force, applied] = await Promise.all([
    db().routingRevision.findMany({ where: { traefik }, orderBy: { number: "desc" }, take: mostListed }),
    inForce(traefik),
    appliedTo(traefik),
  ]);
  return rows.map((row) => rowOf(row, force, applied));
}

/** One revision, whole, secrets in it as they are. Throws AppError NOT_FOUND. */
export async function revisionOf(traefik: string, number: number): Promise<FileRevision> {
  const row = await stored(traefik, number);
  const [force, applied] = await Promise.all([inForce(traefik), appliedTo(traefik)]);
  return { ...rowOf(row, force, applied), contents: filesOf(row) };
}

type Applied = ReadonlyMap<number, NonNullable<FileRevisionRow["applied"]>>;
const planOf = z.object({ revision: z.int() });

/** The newest good change of each revision, of the last 500. */
async function appliedTo(traefik: string): Promise<Applied> {
  const changes = await db().change.findMany({
    where: {
      kind: applyKindName,
      state: { in: ["done", "undone"] },
      targets: { some: { target: targetOf(traefik) } },
    },
    orderBy: { id: "desc" },
    take: 500,
    select: { id: true, actorName: true, finishedAt: true, createdAt: true, plan: true },
  });
  const applied = new Map<number, NonNullable<FileRevisionRow["applied"]>>();
  for (const { id, actorName, finishedAt, createdAt, plan } of changes) {
    const read = planOf.safeParse(JSON.parse(plan));
    if (!read.success || applied.has(read.data.revision)) continue;
    applied.set(read.data.revision, {
      change: id,
      by: actorName,
      at: (finishedAt ?? createdAt).toISOString(),
    });
  }
  return applied;
}

function rowOf(row: Row, force: InForce | null, applied: Applied): FileRevisionRow {
  const files = filesOf(row);
  return {
    number: row.number,
    parent: row.parent,
    author: row.author,
    reason: row.reason,
    origin: row.origin === "found" ? "found" : "saved",
    at: row.at.toISOString(),
    files: files.length,
    bytes: files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    inForce: force?.revision === row.number,
    applied: applied.get(row.number) ?? null,
  };
}

/** What a Traefik was last proved to have in force. */
export type InForce = { readonly revision: number; readonly hash: string; readonly changeId: number };

/** Null: nothing was put in force by Sluice yet. */
export async function inForce(traefik: string): Promise<InForce | null> {
  return db().routingState.findUnique({
    where: { traefik },
    select: { revision: true, hash: true, changeId: true },
  });
}

/** Writes down what a Traefik was proved to have in force. */
export async function keepProved(traefik: string, proved: InForce): Promise<void> {
  const data = { ...proved, at: new Date() };
  await db().routingState.upsert({ where: { traefik }, create: { traefik, ...data }, update: data });
}
