// A draft of a VCL and its tests.
import * as z from "zod";
import { draftsOf } from "@/components/editor/draft";
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

/** By cluster and origin. */
export const drafts = draftsOf<Draft>("vcl", shape);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether somebody changed something. */
export const differs = (
  a: { readonly files: readonly VclFile[]; readonly tests: readonly VclTest[] },
  b: { readonly files: readonly VclFile[]; readonly tests: readonly VclTest[] },
): boolean => !same(a.files, b.files) || !same(a.tests, b.tests);
