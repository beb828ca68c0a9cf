// The index of one repository's snapshots: a file that answers in milliseconds what restic takes seconds for.
import { statSync } from "node:fs";
import { countDifference, type Tree } from "./difference";
import { createReader } from "./read";
import { connect, discard, isDamage, translate } from "./schema";
import type {
  DifferencePage,
  DifferenceQuestion,
  FolderPage,
  HistoryVersion,
  IndexedSnapshot,
  IndexNode,
  Paging,
  SearchQuestion,
  SearchResult,
} from "./shapes";
import { createWriter } from "./write";

/** Differences kept counted: somebody opens folders of one, perhaps next to another. */
const keptTrees = 2;

type Open = ReturnType<typeof openFile>;

/**
 * Opens the index in that file, or makes it. It is a copy only: what restic has is right. A file that is damaged, or
 * made by another version, is made anew and is empty then (`remade`). Every function throws AppError DATABASE when the
 * file cannot be read or written, DISK_FULL; when it is damaged (`backup.indexDamaged`) it was made anew and is empty.
 */
export function openIndex(file: string): SnapshotIndex {
  return new SnapshotIndex(file);
}

export class SnapshotIndex {
  readonly #file: string;
  readonly #closing = new AbortController();
  #open: Open;
  /** One change of the index after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
    this.#open = openFile(file);
  }

  /** Whether a file was there that could not be used: everything is to be indexed again. */
  get remade(): boolean {
    return this.#open.remade;
  }

  /**
   * Indexes a snapshot; one that is there is left as it is. It is seen when all of it is in. Runs beside everything
   * else in steps of a few ms, one after the other. Rejects with the signal's reason, and with what `nodes` throws.
   */
  add(snapshot: IndexedSnapshot, nodes: AsyncIterable<IndexNode>, signal: AbortSignal): Promise<void> {
    return this.#change((open, stop) => open.writer.add(snapshot, nodes, stop), signal);
  }

  /** Takes snapshots out, and what only they held. They are not seen any more from the beginning on. */
  remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#change((open, stop) => open.writer.remove(ids, stop), signal);
  }

  has(snapshotId: string): boolean {
    return this.#read(({ reader }) => reader.held(snapshotId) !== undefined);
  }

  /** The ids of the snapshots that are indexed, by their time. */
  ids(): readonly string[] {
    return this.#read(({ reader }) => reader.ids());
  }

  /** A page of a folder, folders first, then by the bytes of the names; null when there is no such folder or snapshot. */
  folder(snapshotId: string, path: string, paging: Paging): FolderPage | null {
    return this.#read(({ reader }) => reader.folder(snapshotId, path, paging));
  }

  /** Files and folders by a part of their names (or, with "/" in it, of their paths), in capitals or not. */
  search(text: string, question: SearchQuestion): SearchResult {
    return this.#read(({ reader }) => reader.search(text, question));
  }

  /** What became of a path, newest first. */
  history(path: string): readonly HistoryVersion[] {
    return this.#read(({ reader }) => reader.history(path));
  }

  /**
   * What differs below `path` ("/" unless told) from one snapshot to the other, by name, type, size, time and mode.
   * The first question about two snapshots counts them whole. Null when a snapshot, or the folder in both, is not there.
   */
  async difference(
    before: string,
    after: string,
    { path = "/", ...paging }: DifferenceQuestion,
    signal: AbortSignal,
  ): Promise<DifferencePage | null> {
    const open = this.#open;
    const there = () => [before, after].every((id) => open.reader.held(id) !== undefined);
    try {
      if (!there()) return null;
      const tree = await open.tree(before, after, AbortSignal.any([signal, this.#closing.signal]));
      if (!there()) return null;
      const inEither =
        path === "/" || [before, after].some((id) => open.reader.folder(id, path, { limit: 0 }));
      const folder = open.reader.folderId(path);
      if (!inEither || folder === undefined) return null;
      return tree.page(folder, paging.after, paging.limit);
    } catch (error) {
      throw this.#translate(error, open);
    }
  }

  /** Bytes on the disk. */
  size(): number {
    const of = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    return of(this.#file) + of(`${this.#file}-wal`);
  }

  /** Stops what is running and closes the file. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#turn;
    this.#open.close();
  }

  #change(work: (open: Open, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const done = this.#turn.then(async () => {
      stop.throwIfAborted();
      const open = this.#open;
      try {
        await work(open, stop);
      } catch (error) {
        throw this.#translate(error, open);
      }
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  #read<Answer>(work: (open: Open) => Answer): Answer {
    const open = this.#open;
    try {
      return work(open);
    } catch (error) {
      throw this.#translate(error, open);
    }
  }

  /** A damaged file is made anew by whoever meets it first. */
  #translate(error: unknown, open: Open): unknown {
    if (isDamage(error) && open === this.#open && !this.#closing.signal.aborted) {
      open.close();
      discard(this.#file);
      this.#open = { ...openFile(this.#file), remade: true };
    }
    return translate(error, this.#file);
  }
}

function openFile(file: string) {
  const { write, read, remade } = connect(file);
  const reader = createReader(read);
  const trees = new Map<string, Promise<Tree>>();
  let counted = 0;

  /** The difference of two snapshots that are there, counted by the first who asks. */
  function tree(before: string, after: string, signal: AbortSignal): Promise<Tree> {
    const key = `${before} ${after}`;
    const [one, other] = [reader.held(before), reader.held(after)];
    if (one === undefined || other === undefined) throw new RangeError("no such snapshot");
    const found = trees.get(key);
    trees.delete(key);
    if (found === undefined) counted += 1;
    const wanted = found ?? countDifference(read, counted, one, other, signal);
    trees.set(key, wanted);
    if (found === undefined) wanted.catch(() => trees.delete(key));
    const [oldest] = trees.keys();
    if (trees.size > keptTrees && oldest !== undefined) {
      trees.get(oldest)?.then(
        ({ forget }) => forget(),
        () => {},
      );
      trees.delete(oldest);
    }
    return wanted;
  }

  return {
    remade,
    reader,
    writer: createWriter(write),
    tree,
    close() {
      read.close();
      write.close();
    },
  };
}
