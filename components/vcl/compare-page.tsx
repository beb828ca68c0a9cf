"use client";
// Two VCLs side by side: revisions, or what a node runs.
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { Failure, Skeleton } from "@/components/ui/states";
import { LazyVclDiff } from "./editor/lazy";
import { useSource } from "./use-source";

export function ComparePage() {
  const t = useTranslations();
  const params = useSearchParams();
  const cluster = params.get("cluster") ?? "";
  const [before = "", after = ""] = [params.get("before") ?? "", params.get("after") ?? ""];
  const one = useSource(cluster, before);
  const other = useSource(cluster, after);
  const label = (from: string) =>
    from.startsWith("node:")
      ? t("vcl.runningOn", { node: from.slice(5) })
      : t("vcl.revision", { number: Number(from) });
  return (
    <div className="mx-auto max-w-7xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/vcl">
          {t("vcl.title")}
        </Link>
      </p>
      <h1 className="mb-3">{t("vcl.compareTitle", { before: label(before), after: label(after) })}</h1>
      {[one, other].map(
        ({ error, again }, index) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: one before, one after
          error && <Failure key={index} error={error} onRetry={again} />,
      )}
      {one.source === null || other.source === null ? (
        one.error === null && other.error === null && <Skeleton rows={12} />
      ) : (
        <LazyVclDiff
          before={one.source.files}
          after={other.source.files}
          beforeLabel={label(before)}
          afterLabel={label(after)}
        />
      )}
    </div>
  );
}
