// Revisions of VCL in the database: saved by people, or found on a node. None is ever changed or taken away.
import * as z from "zod";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import { type Revision, type RevisionRow, type SavedVcl, type VclFile, vclFiles, vclTests } from "./contract";
import { flatten } from "./flatten";
import { hashOf } from "./nodes";

type Row = Awaited<ReturnType<ReturnType<typeof db>["vclRevision"]["findFirstOrThrow"]>>;
const rolloutKind = "vcl.rollout";

const filesOf = (row: Row): VclFile[] => vclFiles.parse(JSON.parse(row.files));
const testsOf = (row: Row) => vclTests.parse(JSON.parse(row.tests));

/** A revision's files, its tests, the one text that a node gets, and the hash of that. */
export type WholeRevision = {
  readonly number: number;
  readonly files: VclFile[];
  readonly tests: Revision["tests"];
  readonly text: string;
  readonly hash: string;
};

/** Throws AppError NOT_FOUND. */
export async function wholeRevision(cluster: string, number: number): Promise<WholeRevision> {
  const row = await stored(cluster, number);
  const files = filesOf(row);
  return { number, files, tests: testsOf(row), text: flatten(files).text, hash: row.hash };
}

async function stored(cluster: string, number: number): Promise<Row> {
  const row = await db().vclRevision.findUnique({ where: { cluster_number: { cluster, number } } });
  if (row !== null) return row;
  throw new AppError("NOT_FOUND", `There is no revision ${number} of ${cluster.slice(0, 100)}.`, {
    problem: "vcl.noRevision",
    params: { cluster: cluster.slice(0, 100), number },
  });
}

/** The newest revision's number, or null. */
export async function newestOf(cluster: string): Promise<number | null> {
  const newest = await db().vclRevision.aggregate({ where: { cluster }, _max: { number: true } });
  return newest._max.number;
}

/** The newest revision whose text has this hash, or null. */
export async function revisionWith(cluster: string, hash: string): Promise<number | null> {
  const row = await db().vclRevision.findFirst({
    where: { cluster, hash },
    orderBy: { number: "desc" },
    select: { number: true },
  });
  return row?.number ?? null;
}

/** The next revision. Numbers are given one after the other, whoever saves at the same time. */
async function next(
  cluster: string,
  data: Omit<Row, "id" | "cluster" | "number" | "at">,
  allowed: (newestSaved: number | null) => void,
): Promise<number> {
  return db().$transaction(async (step) => {
    const newestOf = async (where: { cluster: string; origin?: string }) =>
      (await step.vclRevision.aggregate({ where, _max: { number: true } }))._max.number;
    allowed(await newestOf({ cluster, origin: "saved" }));
    const number = ((await newestOf({ cluster })) ?? 0) + 1;
    await step.vclRevision.create({ data: { ...data, cluster, number } });
    return number;
  });
}

/** Saves what somebody wrote. Throws AppError CONFLICT when somebody saved another since the work on it began; IncludeCycle. */
export function saveRevision(saved: SavedVcl, author: string): Promise<number> {
  const { cluster, files, tests, parent, reason } = saved;
  return next(
    cluster,
    {
      parent,
      files: JSON.stringify(files),
      tests: JSON.stringify(tests),
      hash: hashOf(flatten(files).text),
      author,
      reason: reason === undefined || reason === "" ? null : reason,
      origin: "saved",
    },
    (newestSaved) => {
      // What was only found on a node is nobody's work.
      if (newestSaved === null || newestSaved <= (saved.newest ?? 0)) return;
      throw new AppError("CONFLICT", `Revision ${newestSaved} was saved meanwhile: look at it first.`, {
        problem: "vcl.newer",
        params: { number: newestSaved },
      });
    },
  );
}

/** A node's files as a revision may have them: as they are, or as the one text that they make. Throws AppError CONFLICT. */
export function keepable(node: string, files: readonly VclFile[], text: string): VclFile[] {
  for (const kept of [files, [{ name: "main.vcl", text }]]) {
    const checked = vclFiles.safeParse(kept);
    if (checked.success) return checked.data;
  }
  throw new AppError("CONFLICT", `What ${node} runs is too long to be kept: there would be no way back.`, {
    problem: "vcl.cannotKeep",
    params: { node },
  });
}

/**
 * Keeps what ran on a node, so that there is a way back to it: the revision that has this text already, or a new one.
 * Throws AppError CONFLICT where it cannot be kept.
 */
export async function keepFound(cluster: string, node: string, files: readonly VclFile[]): Promise<number> {
  const { text } = flatten(files);
  const hash = hashOf(text);
  return (
    (await revisionWith(cluster, hash)) ??
    next(
      cluster,
      {
        parent: null,
        files: JSON.stringify(keepable(node, files, text)),
        tests: "[]",
        hash,
        author: node,
        reason: null,
        origin: "found",
      },
      () => {},
    )
  );
}

const mostListed = 200;

type Size = Pick<RevisionRow, "bytes" | "tests">;
/** A revision never changes: its texts are read once. By its row and its text's hash. */
const sizes = () => singleton("vcl.sizes", () => new Map<string, Size>());
const sizeKey = ({ id, hash }: Pick<Row, "id" | "hash">): string => `${id} ${hash}`;

function sizeOf(row: Pick<Row, "files" | "tests">): Size {
  const { data: files = [] } = z.array(z.object({ text: z.string() })).safeParse(JSON.parse(row.files));
  const { data: tests = [] } = z.array(z.unknown()).safeParse(JSON.parse(row.tests));
  return { bytes: files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0), tests: tests.length };
}

/** The sizes of these rows; the texts of those that were not asked for before are read. */
async function sizesOf(rows: readonly Pick<Row, "id" | "hash">[]): Promise<ReadonlyMap<string, Size>> {
  const known = sizes();
  const missing = rows.filter((row) => !known.has(sizeKey(row))).map(({ id }) => id);
  if (missing.length > 0) {
    const select = { id: true, hash: true, files: true, tests: true } as const;
    for (const row of await db().vclRevision.findMany({ where: { id: { in: missing } }, select }))
      known.set(sizeKey(row), sizeOf(row));
  }
  return known;
}

/** A cluster's newest 200 revisions, the newest first. */
export async function revisionsOf(cluster: string): Promise<RevisionRow[]> {
  const [rows, nodes, changes] = await Promise.all([
    db().vclRevision.findMany({
      where: { cluster },
      orderBy: { number: "desc" },
      take: mostListed,
      omit: { files: true, tests: true },
    }),
    db().vclNode.findMany({ where: { cluster } }),
    appliedIn(cluster),
  ]);
  const known = await sizesOf(rows);
  return rows.map((row) => rowOf(row, known.get(sizeKey(row)) ?? { bytes: 0, tests: 0 }, nodes, changes));
}

/** One revision, whole. Throws AppError NOT_FOUND. */
export async function revisionOf(cluster: string, number: number): Promise<Revision> {
  const row = await stored(cluster, number);
  const [nodes, changes] = await Promise.all([
    db().vclNode.findMany({ where: { cluster } }),
    appliedIn(cluster),
  ]);
  return { ...rowOf(row, sizeOf(row), nodes, changes), files: filesOf(row), tests: testsOf(row) };
}

type Applied = ReadonlyMap<number, NonNullable<RevisionRow["applied"]>>;
const planOf = z.object({ cluster: z.string(), nodes: z.array(z.object({ revision: z.int() })) });

/** The newest good roll-out of each revision, of the last 500 roll-outs. */
async function appliedIn(cluster: string): Promise<Applied> {
  const changes = await db().change.findMany({
    where: { kind: rolloutKind, state: { in: ["done", "undone"] } },
    orderBy: { id: "desc" },
    take: 500,
    select: { id: true, actorName: true, finishedAt: true, createdAt: true, plan: true },
  });
  const applied = new Map<number, NonNullable<RevisionRow["applied"]>>();
  for (const { id, actorName, finishedAt, createdAt, plan } of changes) {
    const read = planOf.safeParse(JSON.parse(plan));
    if (!read.success || read.data.cluster !== cluster) continue;
    for (const { revision } of read.data.nodes) {
      if (applied.has(revision)) continue;
      applied.set(revision, { change: id, by: actorName, at: (finishedAt ?? createdAt).toISOString() });
    }
  }
  return applied;
}

function rowOf(
  row: Omit<Row, "files" | "tests">,
  size: Size,
  nodes: readonly { readonly node: string; readonly revision: number }[],
  applied: Applied,
): RevisionRow {
  return {
    number: row.number,
    parent: row.parent,
    author: row.author,
    reason: row.reason,
    origin: row.origin === "found" ? "found" : "saved",
    at: row.at.toISOString(),
    ...size,
    nodes: nodes
      .filter(({ revision }) => revision === row.number)
      .map(({ node }) => node)
      .sort(),
    applied: applied.get(row.number) ?? null,
  };
}

/** What each node was last proved to run, by node. */
export async function expectedOn(cluster: string): Promise<Map<string, { revision: number; hash: string }>> {
  const rows = await db().vclNode.findMany({ where: { cluster } });
  return new Map(rows.map(({ node, revision, hash }) => [node, { revision, hash }]));
}

/** Writes down what a node was proved to run. */
export async function keepProved(
  cluster: string,
  node: string,
  proved: { readonly revision: number; readonly hash: string; readonly changeId: number },
): Promise<void> {
  const data = { cluster, ...proved, at: new Date() };
  await db().vclNode.upsert({ where: { node }, create: { node, ...data }, update: data });
}
