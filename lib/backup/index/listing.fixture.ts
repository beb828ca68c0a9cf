// A made-up listing of a site's media, as restic gives it: for tests and the benchmark.
import type { IndexNode } from "./shapes";

const filesPerFolder = 100;
const foldersPerMonth = 50;
const first = Date.UTC(2020, 0, 1);

/** `files` files on that day (from 1): each day every thousandth has changed and every thousandth is new. */
export async function* listing(files: number, day: number): AsyncGenerator<IndexNode> {
  const folder = (path: string): IndexNode => ({ path, type: "dir", size: 0, mtimeMs: first, mode: 0o755 });
  yield folder("/srv");
  yield folder("/srv/media");
  for (let number = 0; number < files; number += 1) {
    const inside = Math.floor(number / filesPerFolder);
    const month = `/srv/media/${String(Math.floor(inside / foldersPerMonth)).padStart(4, "0")}`;
    const path = `${month}/${String(inside).padStart(6, "0")}`;
    if (number % (filesPerFolder * foldersPerMonth) === 0) yield folder(month);
    if (number % filesPerFolder === 0) yield folder(path);
    const kind = number % 1000;
    const word = ((number * 2_654_435_761) % 4_294_967_296).toString(36);
    yield {
      path: `${path}/${kind === 999 ? `day${day}` : "photo"}-${word}-${number % filesPerFolder}.jpg`,
      type: "file",
      size: ((number * 7919) % 900_000) + (kind < day ? day : 0),
      mtimeMs: first + number * 1000 + (kind < day ? day : 0),
      mode: 0o644,
    };
  }
}
