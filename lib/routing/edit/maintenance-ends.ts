// What Sluice wrote above the routers of a maintenance: that they are its own, and when it ends.
import type { ConfigFile } from "../files/contract";

/** Behind "# sluice: ". */
export const markOf = (name: string, until: string | undefined): string =>
  until === undefined ? `maintenance ${name}` : `until ${until} ${name}`;

const line = /^[ \t]*# sluice: (?:until (\S+)|maintenance) (\S+)[ \t\r]*$/gm;

/** All maintenances that are written in a file; `until` null: without an end, or with one that is no time. */
export const maintenancesIn = (text: string): { readonly name: string; readonly until: Date | null }[] =>
  [...text.matchAll(line)].map(([, until, name = ""]) => {
    const end = new Date(until ?? "");
    return { name, until: Number.isNaN(end.getTime()) ? null : end };
  });

/** The maintenances that end by themselves, in the order of the files. */
export const endsIn = (
  files: readonly ConfigFile[],
): { readonly name: string; readonly until: Date; readonly file: string }[] =>
  files.flatMap(({ name: file, text }) =>
    maintenancesIn(text).flatMap(({ name, until }) => (until === null ? [] : [{ name, until, file }])),
  );
