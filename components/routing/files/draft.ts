// A draft of Traefik's files.
import * as z from "zod";
import { draftsOf } from "@/components/editor/draft";
import { type ConfigFile, configFiles } from "@/lib/routing/files/contract";

const shape = z.object({
  files: configFiles,
  /** The revision it was made from, and the newest one when the work on it began. */
  parent: z.int().nullable(),
  newest: z.int().nullable(),
  /** UTC, ISO 8601. */
  at: z.string(),
});
export type Draft = z.infer<typeof shape>;

/** By Traefik and origin. */
export const drafts = draftsOf<Draft>("routing", shape);

/** Whether somebody changed something. */
export const differs = (a: readonly ConfigFile[], b: readonly ConfigFile[]): boolean =>
  JSON.stringify(a) !== JSON.stringify(b);
