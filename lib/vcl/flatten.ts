// Several files made one, as a node gets it: a node's own disk need not hold the includes, and one text is compared with what it runs.
import type { VclFile } from "./contract";
import { placeOf, tokensOf } from "./tokens";

type Piece = {
  /** Where it stands in the whole, and how long it is there. */
  readonly start: number;
  readonly length: number;
  readonly file: string;
  readonly offset: number;
};
export type Place = { readonly file: string; readonly line: number; readonly column: number };
export type Flat = {
  readonly text: string;
  /** The file, line and column of an index into `text`. */
  readonly placeAt: (at: number) => Place;
  /** Includes that no file answers to: the node would look for them on its own disk. */
  readonly foreign: readonly (Place & { readonly path: string })[];
};

/** Files may include each other again and again without a cycle: 50 of them, each twice the next, would never end. */
const mostIncludes = 1000;
/** A little more than all files together may have. */
const mostText = 1_100_000;

/** A file that includes itself, by way of others or not; or includes that make the whole too long. */
export class IncludeCycle extends Error {
  constructor(
    readonly place: Place,
    readonly path: string,
  ) {
    super(`${path} includes itself, or is included too often.`);
  }
}

/** What a file of a node's disk is called among ours. */
export const fileName = (path: string): string => path.replace(/[^A-Za-z0-9_./-]/g, "_");

/**
 * The file that an include in `from` means: its whole name, or the end of it ("devicedetect.vcl" of
 * "/etc/varnish/devicedetect.vcl"). "./" is the folder of the file that includes, as for Varnish.
 */
export function includedFile(files: readonly VclFile[], path: string, from: string): VclFile | undefined {
  const wanted = fileName(path.replace(/^\.\//, ""));
  const beside = from.slice(0, from.lastIndexOf("/") + 1) + wanted;
  return (
    (!path.startsWith("./") ? undefined : files.find(({ name }) => name === beside)) ??
    files.find(({ name }) => name === wanted) ??
    files.find(({ name }) => name.endsWith(`/${wanted}`))
  );
}

/** The files that `include +glob` in `from` means, in the order of their names, as Varnish takes them; found as above. */
export function globbedFiles(files: readonly VclFile[], path: string, from: string): VclFile[] {
  const wanted = path.replace(/^\.\//, "");
  const pattern = wanted
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replace(/\[!/g, "[^")
    .replace(/\*/g, "[^/]*")
    .replace(/\?/g, "[^/]");
  const beside = path.startsWith("./") ? from.slice(0, from.lastIndexOf("/") + 1) : "";
  const matching = (start: string) => {
    try {
      const rule = new RegExp(`^${start}${pattern}$`);
      return files.filter(({ name }) => rule.test(name));
    } catch {
      return [];
    }
  };
  const exact = matching(beside.replace(/\./g, "\\."));
  const found = exact.length > 0 ? exact : matching("(?:.*/)?");
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const here = (file: VclFile, at: number): Place => ({ file: file.name, ...placeOf(file.text, at) });

/** The first file with every `include` of the others replaced by their text. Throws IncludeCycle. */
export function flatten(files: readonly VclFile[]): Flat {
  const pieces: Piece[] = [];
  const foreign: (Place & { path: string })[] = [];
  let text = "";
  let includes = 0;
  const add = (file: VclFile, from: number, to: number) => {
    if (to > from) pieces.push({ start: text.length, length: to - from, file: file.name, offset: from });
    text += file.text.slice(from, to);
  };
  const take = (file: VclFile, within: readonly string[]) => {
    const tokens = tokensOf(file.text).filter(({ type }) => type !== "comment");
    let from = 0;
    for (const [index, token] of tokens.entries()) {
      if (token.type !== "word" || token.text !== "include") continue;
      // `include +glob "/etc/varnish/conf.d/*.vcl";` takes all of a folder.
      const glob = tokens[index + 1]?.text === "+" && tokens[index + 2]?.text === "glob";
      const [path, end] = tokens.slice(index + (glob ? 3 : 1), index + 5);
      if (path?.type !== "string" || end?.text !== ";") continue;
      const one = glob ? undefined : includedFile(files, path.value, file.name);
      const found = glob ? globbedFiles(files, path.value, file.name) : one === undefined ? [] : [one];
      if (found.length === 0) {
        foreign.push({ path: path.value, ...here(file, token.at) });
        continue;
      }
      add(file, from, token.at);
      for (const next of found) {
        includes += 1;
        if (
          next === file ||
          within.includes(next.name) ||
          includes > mostIncludes ||
          text.length + next.text.length > mostText
        )
          throw new IncludeCycle(here(file, token.at), path.value);
        take(next, [...within, file.name]);
        // A comment at its end would swallow what follows.
        if (!text.endsWith("\n")) text += "\n";
      }
      from = end.at + 1;
    }
    add(file, from, file.text.length);
  };
  const [main] = files;
  if (main !== undefined) take(main, []);
  const placeAt = (at: number): Place => {
    const piece = pieces.findLast(({ start }) => start <= at) ?? pieces[0];
    const file = files.find(({ name }) => name === piece?.file) ?? main;
    if (piece === undefined || file === undefined) return { file: main?.name ?? "", line: 1, column: 1 };
    const offset = piece.offset + Math.min(Math.max(0, at - piece.start), piece.length);
    return { file: file.name, ...placeOf(file.text, offset) };
  };
  return { text, placeAt, foreign };
}
