"use client";
// The files that an address means: those of a revision, or those that lie there now.
import { useQuery } from "@tanstack/react-query";
import { query } from "@/lib/api/client";
import type { ConfigFile, FilesNow } from "@/lib/routing/files/contract";

export type Source = {
  readonly files: ConfigFile[];
  /** The revision whose text this is; null: none. */
  readonly revision: number | null;
  /** What Traefik reads there as well, and nobody edits here. */
  readonly apart: FilesNow["apart"];
};

/** `from`: a revision's number, or "now"; "" asks for nothing. */
export function useFiles(traefik: string, from: string) {
  const once = { retry: false, refetchOnWindowFocus: false } as const;
  const number = Number(from);
  const revision = useQuery({
    ...query.routing.revision.queryOptions({ input: { traefik, number } }),
    ...once,
    staleTime: Number.POSITIVE_INFINITY,
    enabled: traefik !== "" && Number.isInteger(number) && number > 0,
  });
  const now = useQuery({
    ...query.routing.files.queryOptions({ input: { traefik } }),
    ...once,
    staleTime: 0,
    enabled: traefik !== "" && from === "now",
  });
  const source: Source | null =
    from === "now"
      ? (now.data ?? null)
      : revision.data === undefined
        ? null
        : { files: revision.data.contents, revision: revision.data.number, apart: [] };
  const asked = from === "now" ? now : revision;
  return { source, error: asked.error, again: () => void asked.refetch() };
}
