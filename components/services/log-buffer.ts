// The lines a page holds: bounded, in time order, so that a million lines cost what fifty thousand do.
import type { ShownLine } from "@/lib/services/logs/contract";

export type BufferedLine = ShownLine & {
  /** Counts up for ever: a line's name for the page. */
  readonly key: number;
  /** Lines left out just before this one. */
  readonly dropped: number;
};

export const maxLines = 50_000;

export class LogBuffer {
  #lines: BufferedLine[] = [];
  #next = 1;
  #pending = 0;

  /** The lines now; a new array after every change. */
  get lines(): readonly BufferedLine[] {
    return this.#lines;
  }

  clear(): void {
    this.#lines = [];
    this.#pending = 0;
  }

  /** Adds lines that are in time order among themselves. Late ones go where they belong. */
  add(lines: readonly ShownLine[], dropped = 0): void {
    this.#pending += dropped;
    if (lines.length === 0) return;
    const added = lines.map((line, index) => ({
      ...line,
      key: this.#next++,
      dropped: index === 0 ? this.#pending : 0,
    }));
    this.#pending = 0;
    const last = this.#lines.at(-1);
    const [first] = added;
    const all = this.#lines.concat(added);
    if (last !== undefined && first !== undefined && first.at < last.at)
      all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.key - b.key));
    this.#lines = all.length > maxLines ? all.slice(-maxLines) : all;
  }
}
