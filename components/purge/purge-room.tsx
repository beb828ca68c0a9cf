"use client";
// The room of the main job: an editor's one field, and for operators the other ways. What is shown is in the address.
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useCallback } from "react";
import { useMe } from "@/components/frame/me";
import { Failure, Skeleton } from "@/components/ui/states";
import { query } from "@/lib/api/client";
import { PagePurge } from "./page-purge";
import { PurgeResult } from "./purge-result";
import { isWay, ways } from "./ways";
import type { Asked } from "./wide-purge";

const WidePurge = dynamic(() => import("./wide-purge").then((module) => module.WidePurge));

export function PurgeRoom() {
  const t = useTranslations();
  const me = useMe();
  const router = useRouter();
  const search = useSearchParams();
  const asked = search.get("by");
  const way = me.may.purgeWide && isWay(asked) ? asked : "url";
  const change = Number(search.get("change"));
  const again = Number(search.get("again"));
  const isAgain = way !== "url" && Number.isInteger(again) && again > 0;
  const earlier = useQuery({
    ...query.changes.get.queryOptions({ input: { id: again } }),
    enabled: isAgain,
    // What was asked for does not change, and what is typed since must not.
    staleTime: Number.POSITIVE_INFINITY,
  });
  const started = useCallback(
    (id: number) => {
      const next = new URLSearchParams();
      if (way !== "url") next.set("by", way);
      next.set("change", String(id));
      router.push(`/purge?${next}`);
    },
    [router, way],
  );
  if (Number.isInteger(change) && change > 0) {
    return (
      <div className="mx-auto max-w-[560px] px-4 py-5 sm:py-9">
        <PurgeResult id={change} again={way === "url" ? "/purge" : `/purge?by=${way}`} />
      </div>
    );
  }
  return (
    <>
      {me.may.purgeWide && (
        <nav
          aria-label={t("ways.title")}
          className="flex gap-1 overflow-x-auto border-b border-line px-3 sm:px-5"
        >
          {ways.map((one) => (
            <Link
              key={one}
              href={one === "url" ? "/purge" : `/purge?by=${one}`}
              aria-current={one === way ? "page" : undefined}
              className={`tap border-b-2 px-2.5 py-2 font-medium whitespace-nowrap ${one === way ? "border-deep text-ink" : "border-transparent text-mute hover:text-ink"}`}
            >
              {t(`ways.${one}`)}
            </Link>
          ))}
        </nav>
      )}
      {way === "url" ? (
        <div className="mx-auto max-w-[560px] px-4 py-5 sm:py-9">
          <PagePurge
            key={search.get("url") ?? ""}
            given={search.get("url") ?? ""}
            fromBookmarklet={search.get("origin") === "bookmarklet"}
            onStarted={started}
          />
        </div>
      ) : (
        <div className="mx-auto max-w-5xl px-4 py-5 sm:px-5">
          {isAgain && earlier.isPending ? (
            <Skeleton />
          ) : (
            <>
              {isAgain && earlier.isError && <Failure error={earlier.error} />}
              <WidePurge
                key={`${way} ${again}`}
                way={way}
                given={earlier.data?.kind === "purge" ? (earlier.data.input as Asked) : null}
                onStarted={started}
              />
            </>
          )}
        </div>
      )}
    </>
  );
}
