// The mark of a revision: a middleware that nobody uses, written after all other files. Traefik shows it when it has read them all.
import { createHash } from "node:crypto";
import type { ConfigFile } from "./contract";

/** Its file in the directory; it is no part of any revision. */
export const markerFileName = "sluice-revision.yml";
const markerPattern = /^ {4}(sluice-\d+-[0-9a-f]{12}):$/m;

/** SHA-256 (hex) of files, whatever their order. */
export function hashOf(files: readonly ConfigFile[]): string {
  const sorted = files.map(({ name, text }) => [name, text] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted), "utf8").digest("hex");
}

const named = (revision: number, salt: string): string =>
  `sluice-${revision}-${createHash("sha256").update(salt).digest("hex").slice(0, 12)}`;

/**
 * What the mark is called. Another one for each change, so that what Traefik showed before proves nothing: the same files may be put in
 * force again over those of another hand.
 */
export const markerName = (revision: number, hash: string, changeId: number): string =>
  named(revision, `${hash} ${changeId}`);

/**
 * The mark that stands there first. Traefik lists a directory and then reads file by file: one that lists it before the last file came may
 * still read a mark that came after. Where the first mark is shown, that reading is over, and the next one, which the mark itself makes
 * necessary, meets all files.
 */
export const firstMarkerName = (revision: number, hash: string, changeId: number): string =>
  named(revision, `${hash} ${changeId} first`);

/** The mark as Traefik's configuration. */
export const markerElement = { addPrefix: { prefix: "/sluice" } };

/** The mark's file. */
export const markerFile = (name: string): ConfigFile => ({
  name: markerFileName,
  text: `# Written by Sluice after all other files of a revision. Nobody uses this middleware: where Traefik shows it,
# Traefik has read them all. It may be taken away; then Sluice says that it does not know what Traefik has read.
http:
  middlewares:
    ${name}:
      addPrefix:
        prefix: ${markerElement.addPrefix.prefix}
`,
});

/** The name in a mark's file; null where there is none. */
export const markerIn = (file: ConfigFile | null): string | null =>
  file === null ? null : (markerPattern.exec(file.text)?.[1] ?? null);
