// What goes into the index of a repository's snapshots and what comes out of it.

export const nodeTypes = ["dir", "file", "symlink", "other"] as const;
export type NodeType = (typeof nodeTypes)[number];

/** What restic says of a file or folder: bytes, milliseconds since 1970, permission bits. */
export type Version = {
  readonly type: NodeType;
  readonly size: number;
  readonly mtimeMs: number;
  readonly mode: number;
};

/** One line of `restic ls`; `path` begins with `/`, and what is not UTF-8 in it was escaped by the reader. */
export type IndexNode = Version & { readonly path: string };

/** A snapshot to be indexed: its whole id, and `time` in ISO 8601 with any zone and precision. */
export type IndexedSnapshot = {
  readonly id: string;
  readonly time: string;
  readonly host: string;
  readonly paths: readonly string[];
};

export type SnapshotRef = { readonly id: string; readonly time: string; readonly host: string };

/** `after` is the `next` of the page before. */
export type Paging = { readonly after?: string | undefined; readonly limit: number };

export type FolderEntry = Version & { readonly name: string };
export type FolderPage = { readonly entries: readonly FolderEntry[]; readonly next: string | null };

/** A path that some snapshot holds, as its newest snapshot (or the one asked for) has it. */
export type SearchHit = Version & {
  readonly path: string;
  readonly name: string;
  readonly first: SnapshotRef;
  readonly last: SnapshotRef;
  /** How many snapshots hold it. */
  readonly snapshots: number;
};

export type SearchQuestion = {
  readonly limit: number;
  /** Only what this snapshot holds. */
  readonly snapshotId?: string | undefined;
  /** How long may be searched, ms; then `complete` is false. 200 unless told. */
  readonly budgetMs?: number | undefined;
};
/** `complete` is false where there are, or may be, more hits. */
export type SearchResult = { readonly hits: readonly SearchHit[]; readonly complete: boolean };

/** A path as it stayed over neighbouring snapshots of one host and set of paths. */
export type HistoryVersion = Version & {
  readonly first: SnapshotRef;
  readonly last: SnapshotRef;
  readonly snapshots: number;
};

/** Files (folders are not counted) and their bytes below a path; `changedFrom` and `changedTo` are of the changed ones. */
export type DifferenceSums = {
  readonly added: number;
  readonly addedBytes: number;
  readonly removed: number;
  readonly removedBytes: number;
  readonly changed: number;
  readonly changedFrom: number;
  readonly changedTo: number;
};

export type DifferenceEntry = {
  readonly name: string;
  readonly folder: boolean;
  /** Null where that snapshot has no such file or folder; a folder with both may differ only below. */
  readonly before: Version | null;
  readonly after: Version | null;
  readonly sums: DifferenceSums;
};
/** The sums of the folder asked for, and those of its children that differ. */
export type DifferencePage = {
  readonly sums: DifferenceSums;
  readonly entries: readonly DifferenceEntry[];
  readonly next: string | null;
};
export type DifferenceQuestion = Paging & { readonly path?: string | undefined };
