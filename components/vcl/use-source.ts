"use client";
// The files that an address of the VCL room means.
import { useQuery } from "@tanstack/react-query";
import { query } from "@/lib/api/client";
import type { VclFile, VclTest } from "@/lib/vcl/contract";

export type Source = {
  readonly files: VclFile[];
  readonly tests: VclTest[];
  /** The revision whose text this is; null: none. */
  readonly revision: number | null;
};

/** `from`: a revision's number, "node:<name>" or "template:<key>"; "" asks for nothing. */
export function useSource(cluster: string, from: string) {
  const [kind, name = ""] = from.includes(":") ? from.split(/:(.*)/s) : ["revision", from];
  const once = { retry: false, refetchOnWindowFocus: false, staleTime: Number.POSITIVE_INFINITY } as const;
  const number = Number(name);
  const revision = useQuery({
    ...query.vcl.revision.queryOptions({ input: { cluster, number } }),
    ...once,
    enabled: kind === "revision" && Number.isInteger(number) && number > 0,
  });
  const running = useQuery({
    ...query.vcl.running.queryOptions({ input: { node: name } }),
    ...once,
    staleTime: 0,
    enabled: kind === "node" && name !== "",
  });
  const templates = useQuery({
    ...query.vcl.templates.queryOptions(),
    ...once,
    enabled: kind === "template",
  });
  const template = templates.data?.find(({ key }) => key === name);
  const source: Source | null =
    kind === "revision" && revision.data !== undefined
      ? { files: revision.data.files, tests: revision.data.tests, revision: revision.data.number }
      : kind === "node" && running.data !== undefined
        ? { files: running.data.files, tests: [], revision: running.data.revision }
        : kind === "template" && template !== undefined
          ? { files: template.files, tests: [], revision: null }
          : null;
  const asked = kind === "revision" ? revision : kind === "node" ? running : templates;
  return { source, error: asked.error, again: () => void asked.refetch() };
}
