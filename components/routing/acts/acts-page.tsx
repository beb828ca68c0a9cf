"use client";
// The usual acts on Traefik's files by forms: what one would do is shown first, then saved as a revision and put in force.
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { loading } from "@/components/editor/loading";
import { Failure, Skeleton } from "@/components/ui/states";
import { query } from "@/lib/api/client";
import { actsAddress } from "../files/addresses";
import { actNames } from "./forms";

/** It reads YAML: the reader is in no other page's bundle. */
const LazyActForm = dynamic(() => import("./act-form").then((module) => module.ActForm), {
  ssr: false,
  loading: loading(10),
});

export function ActsPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const traefik = params.get("traefik") ?? "";
  const of = actNames.find((one) => one === params.get("act")) ?? "route";
  const directories = useQuery(query.routing.directories.queryOptions());
  const now = useQuery({
    ...query.routing.files.queryOptions({ input: { traefik } }),
    enabled: traefik !== "",
    staleTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const known = directories.data?.find((one) => one.traefik === traefik);
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/routing">
          {t("rooms.routing")}
        </Link>
      </p>
      <h1 className="mb-3">{t("routing.acts.of", { traefik })}</h1>
      <nav aria-label={t("routing.acts.title")} className="mb-3 flex flex-wrap gap-1">
        {actNames.map((one) => (
          <Link
            key={one}
            href={actsAddress(traefik, one)}
            aria-current={one === of ? "page" : undefined}
            className={`btn ${one === of ? "btn-primary" : "btn-quiet"}`}
          >
            {t(`routing.acts.names.${one}`)}
          </Link>
        ))}
      </nav>
      {now.error && <Failure error={now.error} onRetry={() => void now.refetch()} />}
      {directories.error && <Failure error={directories.error} onRetry={() => void directories.refetch()} />}
      {!now.error && !directories.error && (now.data === undefined || known === undefined) && (
        <Skeleton rows={10} />
      )}
      {now.data !== undefined && known !== undefined && (
        <LazyActForm
          key={`${traefik} ${of} ${now.data.hash}`}
          traefik={traefik}
          of={of}
          now={now.data}
          newest={known.newest}
        />
      )}
    </div>
  );
}
