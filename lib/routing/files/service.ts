// Traefik's files as pages and the API ask for them. Secrets leave as marks, and marks that come back are secrets again.
import type { Actor } from "../../changes/kind";
import { config } from "../../config/load";
import { AppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { checkFiles } from "../analysis/check";
import { wordsFor } from "../analysis/words";
import { applyAct } from "../edit/act";
import type { ActRequest } from "../edit/contract";
import type {
  ConfigFile,
  ConfigWords,
  FileRevision,
  FileRevisionRow,
  FilesChecked,
  FilesNow,
  SavedFiles,
  TraefikFiles,
} from "./contract";
import { heldBy } from "./holder";
import { hashOf } from "./marker";
import { newestFiles, revisionOf, revisionWith, saveRevision, wholeRevision } from "./revisions";
import { masked, restored } from "./secrets";
import { type TraefikServerConfig, traefikCalled } from "./servers";
import { filesSoon } from "./watch";

/** A page that is asked for every few seconds by several looks once. */
const freshMs = 5000;
/** A draft may have been begun from any of so many of the newest revisions. */
const mostSources = 30;
const madeKeptMs = 4 * 3_600_000;
const mostMade = 50;

/** Of each Traefik of the configuration, whether Sluice may write its files, and how they are. */
export const directories = (): Promise<TraefikFiles[]> =>
  Promise.all(config().systems.traefik.map((server) => filesSoon(server, freshMs)));

/** A Traefik's files as they are. Throws AppError. */
export async function filesNow(name: string): Promise<FilesNow> {
  const { files, apart } = await heldBy(traefikCalled(name));
  const hash = hashOf(files);
  return {
    traefik: name,
    files: masked(files),
    hash,
    revision: await revisionWith(name, hash),
    apart: apart.map((one) => ({ name: one.name, why: one.why })),
  };
}

/** Files as an act left them: what it made (a password's hash) is nowhere else until the draft is saved. */
type Made = { readonly traefik: string; readonly files: readonly ConfigFile[]; readonly at: number };
const made = () => singleton("routing.files.made", (): { last: Made[] } => ({ last: [] }));

function keepActed(traefik: string, files: readonly ConfigFile[]): void {
  const now = Date.now();
  const kept = made();
  kept.last = [...kept.last.filter(({ at }) => now - at < madeKeptMs), { traefik, files, at: now }].slice(
    -mostMade,
  );
}

/** A draft with its secrets as they are. Throws AppError INVALID_INPUT for a mark that nothing explains. */
async function whole(
  { name }: TraefikServerConfig,
  files: readonly ConfigFile[],
  present: readonly ConfigFile[],
  parent: number | null,
): Promise<ConfigFile[]> {
  const from = parent === null ? [] : [(await wholeRevision(name, parent)).files];
  const acted = made().last.filter(({ traefik }) => traefik === name);
  const near = [...from, present, ...acted.map((one) => one.files)];
  try {
    return restored(files, near);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return restored(files, [...near, ...(await newestFiles(name, mostSources))]);
  }
}

/** What Traefik would make of a draft, and what it would change. Throws AppError. */
export async function check(
  { traefik, files }: { readonly traefik: string; readonly files: readonly ConfigFile[] },
  signal?: AbortSignal,
): Promise<FilesChecked> {
  const server = traefikCalled(traefik);
  const held = await heldBy(server);
  const others = held.apart.map(({ name, text }) => ({ name, text }));
  const draft = await whole(server, files, held.files, null);
  return checkFiles(server, [...draft, ...others], [...held.files, ...others], signal);
}

/** A draft with a usual act done in it. Throws AppError. */
export async function acted({ traefik, files, file, act }: ActRequest): Promise<ConfigFile[]> {
  const server = traefikCalled(traefik);
  const draft = await whole(server, files, (await heldBy(server)).files, null);
  const changed = await applyAct(draft, act, file);
  keepActed(
    traefik,
    changed.filter(({ name, text }) => !draft.some((one) => one.name === name && one.text === text)),
  );
  return masked(changed);
}

/** Names that may be written in a Traefik's files. Throws AppError. */
export async function words(name: string): Promise<ConfigWords> {
  const server = traefikCalled(name);
  return wordsFor(server, (await heldBy(server)).files);
}

/** One revision, secrets in its files as marks. Throws AppError NOT_FOUND. */
export async function revision(name: string, number: number): Promise<FileRevision> {
  const found = await revisionOf(traefikCalled(name).name, number);
  return { ...found, contents: masked(found.contents) };
}

/** Saves a revision and gives it, without its files. Throws AppError NOT_FOUND, CONFLICT, INVALID_INPUT. */
export async function save(saved: SavedFiles, actor: Actor): Promise<FileRevisionRow> {
  const server = traefikCalled(saved.traefik);
  const files = await whole(server, saved.files, (await heldBy(server)).files, saved.parent);
  const { contents: _, ...row } = await revisionOf(
    server.name,
    await saveRevision({ ...saved, files }, actor.name),
  );
  return row;
}
