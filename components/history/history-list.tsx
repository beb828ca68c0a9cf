"use client";
// History: every change, newest first; the filters live in the address.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useCallback, useId, useMemo, useRef, useState } from "react";
import type { Address } from "@/components/ui/address-at";
import { AddressSelect, useAddressText } from "@/components/ui/address-filter";
import { Older } from "@/components/ui/older";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import type { ChangeRow } from "@/lib/changes/contract";
import { useChangeUpdates } from "@/lib/live/client";
import { exportAddress, type FilterName, filterNames, filterOf, withFilter } from "./filter";
import { Outcome } from "./outcome";

const kinds = [
  "purge",
  "purge.gateway",
  "service.start",
  "service.stop",
  "service.restart",
  "service.pause",
  "service.unpause",
  "service.kill",
  "service.remove",
  "service.deploy",
  "swarm.scale",
  "swarm.deploy",
  "swarm.restart",
  "swarm.availability",
  "cloudflare.security",
  "cloudflare.development",
  "vcl.rollout",
  "traefik.apply",
  "vcl.try",
  "vcl.tryEnd",
  "backup.unlock",
  "backup.init",
] as const;
const states = ["running", "verifying", "done", "failed", "cancelled", "interrupted", "undone"] as const;
const outcomes = [
  "fresh",
  "stale",
  "unknown",
  "asWanted",
  "otherwise",
  "deployed",
  "rolledBack",
  "paused",
  "set",
  "leftAsIs",
  "live",
  "inForce",
  "tried",
  "expired",
  "unlocked",
  "made",
] as const;

const address: Address = (params, name, value) => {
  const known = filterNames.find((one) => one === name);
  return known === undefined ? "/history" : withFilter(params, known, value);
};

function FilterText({
  name,
  label,
  type = "text",
}: {
  readonly name: FilterName;
  readonly label: string;
  readonly type?: "text" | "search" | "date";
}) {
  const id = useId();
  const field = useAddressText(name, address);
  return (
    <div className={type === "search" ? "min-w-full flex-1 sm:min-w-56" : "min-w-28 flex-1 sm:flex-none"}>
      <label htmlFor={id} className={type === "date" ? "mr-1.5 text-xs text-mute" : "sr-only"}>
        {label}
      </label>
      <input
        id={id}
        type={type}
        className={`input ${type === "date" ? "w-auto!" : ""}`}
        placeholder={type === "date" ? undefined : label}
        {...(type === "search" ? { "data-filter": true } : {})}
        {...field}
      />
    </div>
  );
}

function Row({ row }: { readonly row: ChangeRow }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="border-b border-line last:border-0">
      <Link
        data-row
        href={`/history/${row.id}`}
        className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-3 gap-y-0.5 px-3 py-2 hover:bg-wash sm:grid-cols-[110px_minmax(0,1fr)_170px_150px] sm:py-1.5"
      >
        <span className="order-2 sm:order-none">
          <Outcome row={row} />
        </span>
        <span className="order-1 min-w-0 sm:order-none">
          <span className="mr-2 text-mute">{say.kind(row.kind)}</span>
          <span className="font-medium break-words">
            {row.kind === "purge" && row.title === "everything" ? t("history.everything") : row.title}
          </span>
          {row.reason !== null && <span className="ml-2 text-mute">{row.reason}</span>}
        </span>
        <span className="order-3 truncate text-xs text-mute sm:order-none sm:text-sm">
          {row.actor.name} · {t(`origins.${row.origin}`)}
        </span>
        <time
          dateTime={row.createdAt}
          title={say.utc(row.createdAt)}
          className="num order-4 text-right text-xs text-mute sm:order-none sm:text-sm"
        >
          {say.time(row.createdAt)}
        </time>
      </Link>
    </li>
  );
}

export function HistoryList() {
  const t = useTranslations();
  const params = useSearchParams();
  const path = usePathname();
  const queries = useQueryClient();
  const filter = useMemo(() => filterOf(new URLSearchParams(params)), [params]);
  const filtered = filterNames.some((name) => params.has(name));
  const [more, setMore] = useState(() =>
    ["kind", "site", "actor", "target", "from", "to"].some((name) => params.has(name)),
  );
  const changes = useInfiniteQuery({
    ...query.changes.list.infiniteOptions({
      input: (cursor: number | undefined) => ({
        ...filter,
        limit: 50,
        ...(cursor === undefined ? {} : { cursor }),
      }),
      initialPageParam: undefined as number | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
    }),
    placeholderData: (before) => before,
  });
  useRowKeys();
  // Bursts (a gateway under load) must not become as many questions: at most one a second.
  const asked = useRef(0);
  const refresh = useCallback(() => {
    const now = Date.now();
    if (now - asked.current < 1000) return;
    asked.current = now;
    setTimeout(() => void queries.invalidateQueries({ queryKey: query.changes.list.key() }), 900);
  }, [queries]);
  useChangeUpdates(refresh);
  const rows = changes.data?.pages.flatMap((page) => page.rows);
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">{t("rooms.history")}</h1>
        <a className="btn" href={exportAddress(filter, "csv")} download>
          {t("history.csv")}
        </a>
        <a className="btn" href={exportAddress(filter, "json")} download>
          {t("history.json")}
        </a>
      </div>
      <search className="mb-3 flex flex-wrap items-center gap-2">
        <FilterText name="search" type="search" label={t("history.search")} />
        <AddressSelect
          address={address}
          name="state"
          label={t("history.state")}
          any={t("history.anyState")}
          options={states.map((value) => ({ value, label: t(`states.${value}`) }))}
        />
        <AddressSelect
          address={address}
          name="outcome"
          label={t("history.outcome")}
          any={t("history.anyOutcome")}
          options={outcomes.map((value) => ({ value, label: t(`outcomes.${value}`) }))}
        />
        <button type="button" className="btn btn-quiet" aria-expanded={more} onClick={() => setMore(!more)}>
          {more ? t("history.fewer") : t("history.more")}
        </button>
        {filtered && (
          <Link href={path} className="btn btn-quiet">
            {t("history.clear")}
          </Link>
        )}
        {more && (
          <div className="flex w-full flex-wrap items-center gap-2">
            <AddressSelect
              address={address}
              name="kind"
              label={t("history.kind")}
              any={t("history.anyKind")}
              options={kinds.map((value) => ({ value, label: t(`kinds.${value.replace(".", "-")}`) }))}
            />
            <FilterText name="actor" label={t("history.actor")} />
            <FilterText name="site" label={t("history.site")} />
            <FilterText name="target" label={t("history.target")} />
            <FilterText name="from" type="date" label={t("history.from")} />
            <FilterText name="to" type="date" label={t("history.to")} />
          </div>
        )}
      </search>
      <div className="card" aria-busy={changes.isFetching && !rows}>
        {changes.error && <Failure error={changes.error} onRetry={() => void changes.refetch()} />}
        {!rows && !changes.error && <Skeleton rows={8} />}
        {rows?.length === 0 &&
          (filtered ? (
            <Empty title={t("history.noMatch")}>
              <Link className="btn mt-2" href={path}>
                {t("history.clear")}
              </Link>
            </Empty>
          ) : (
            <Empty title={t("history.nothing")}>
              <p>{t("history.nothingText")}</p>
              <Link className="btn btn-primary mt-3" href="/purge">
                {t("palette.purge")}
              </Link>
            </Empty>
          ))}
        {rows && rows.length > 0 && (
          <ol className={changes.isPlaceholderData ? "opacity-60" : ""}>
            {rows.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </ol>
        )}
      </div>
      <Older list={changes} />
    </div>
  );
}
