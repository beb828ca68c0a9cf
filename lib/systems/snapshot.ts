// What a system is busy with at one moment, as it tells itself: a table for whoever asks later why it was slow.
import { maskedText } from "../errors/mask";

export type SnapshotKind = "processes" | "slowQueries" | "workers" | "backends" | "slowCommands";
export type Cell = string | number | null;
export type Snapshot = {
  readonly kind: SnapshotKind;
  /** Names of the columns, of messages `snapshots.columns`. */
  readonly columns: string[];
  /** The most telling first. */
  readonly rows: Cell[][];
  /** Rows that are left out. */
  readonly more: number;
};

const keptRows = 25;
const keptText = 300;
/** What is read of a longer one: masking costs time, and whoever writes into a log may write much. */
const readText = 2000;

/** A table of at most 25 rows; texts are cut at 300 characters, and what looks like a secret is taken out. */
export function snapshot(
  kind: SnapshotKind,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): Snapshot {
  const cell = (value: Cell): Cell => {
    if (typeof value !== "string") return value;
    const text = maskedText(value.slice(0, readText)).replace(/\s+/g, " ").trim();
    return text.length > keptText ? `${text.slice(0, keptText)}…` : text;
  };
  return {
    kind,
    columns: [...columns],
    rows: rows.slice(0, keptRows).map((row) => row.map(cell)),
    more: Math.max(0, rows.length - keptRows),
  };
}
