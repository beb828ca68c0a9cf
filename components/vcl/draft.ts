// A draft that is not saved yet, kept in this browser: a closed tab or a reload loses nothing.
import * as z from "zod";
import { type VclFile, type VclTest, vclFiles, vclTests } from "@/lib/vcl/contract";

const shape = z.object({
  files: vclFiles,
  tests: vclTests,
  /** The revision it was made from, and the newest one when the work on it began. */
  parent: z.int().nullable(),
  newest: z.int().nullable(),
  /** UTC, ISO 8601. */
  at: z.string(),
});
export type Draft = z.infer<typeof shape>;

const keyOf = (cluster: string, from: string): string => `sluice.vcl.draft ${cluster} ${from}`;

/** The draft of this origin, or null. */
export function readDraft(cluster: string, from: string): Draft | null {
  try {
    return shape
      .nullable()
      .catch(null)
      .parse(JSON.parse(localStorage.getItem(keyOf(cluster, from)) ?? "null"));
  } catch {
    return null;
  }
}

/** Keeps it; a browser without room for it keeps nothing, and the page still has it. */
export function keepDraft(cluster: string, from: string, draft: Draft): void {
  try {
    localStorage.setItem(keyOf(cluster, from), JSON.stringify(draft));
  } catch {}
}

export function dropDraft(cluster: string, from: string): void {
  try {
    localStorage.removeItem(keyOf(cluster, from));
  } catch {}
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether somebody changed something. */
export const differs = (
  a: { readonly files: readonly VclFile[]; readonly tests: readonly VclTest[] },
  b: { readonly files: readonly VclFile[]; readonly tests: readonly VclTest[] },
): boolean => !same(a.files, b.files) || !same(a.tests, b.tests);
