"use client";
// Logs: of one service or several, live, searched on the server; the question lives in the address.
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useMemo, useState } from "react";
import { addressAt } from "@/components/ui/address-at";
import { AddressSearch, replaceAddress } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { type LogLevel, type LogQuery, logLevels } from "@/lib/services/logs/contract";
import { maxLines } from "./log-buffer";
import { LogView } from "./log-view";
import { useLog } from "./use-log";
import { useServices } from "./use-services";

/** So many logs are read at once. */
const maxSources = 20;

/** An address's question, and what of it cannot be asked; null when it names no container. */
export function queryOf(params: URLSearchParams): { query: LogQuery; ignored: string[] } | null {
  const of = params.getAll("of").flatMap((text) => {
    const [host = "", id = ""] = text.split("/", 2);
    // "host/swarm:name" is a Swarm's service, from all its nodes.
    const swarm = id.startsWith("swarm:");
    const kind = swarm ? ("swarm" as const) : ("container" as const);
    return host && id ? [{ host, id: swarm ? id.slice(6) : id, kind }] : [];
  });
  if (of.length === 0) return null;
  const ignored: string[] = [];
  const level = params.get("level") ?? "";
  const least = logLevels.indexOf(level as LogLevel);
  if (level !== "" && least < 0) ignored.push(`level=${level}`);
  const local = (name: string): string | undefined => {
    const text = params.get(name) ?? "";
    const at = new Date(text);
    if (!Number.isNaN(at.getTime())) return at.toISOString();
    if (text !== "") ignored.push(`${name}=${text}`);
    return undefined;
  };
  const [since, until, search] = [local("since"), local("until"), params.get("q")?.trim()];
  for (const { host, id } of of.slice(maxSources)) ignored.push(`of=${host}/${id}`);
  const query = {
    of: of.slice(0, maxSources),
    regex: params.get("regex") === "1",
    tail: 2000,
    follow: true,
    ...(least < 0 ? {} : { levels: logLevels.slice(least) }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(search ? { search } : {}),
  };
  return { query, ignored };
}

/** Where the same selection is had as a file, whole. */
export function fileAddress(query: LogQuery): string {
  const params = new URLSearchParams();
  for (const { host, id, kind } of query.of)
    params.append("of", `${host}/${kind === "swarm" ? "swarm:" : ""}${id}`);
  for (const level of query.levels ?? []) params.append("level", level);
  if (query.since) params.set("since", query.since);
  if (query.until) params.set("until", query.until);
  if (query.search) params.set("search", query.search);
  if (query.regex) params.set("regex", "true");
  return `/api/v1/services/log?${params}`;
}

const changed = addressAt("/services/logs");

function Filters() {
  const t = useTranslations();
  const params = useSearchParams();
  const id = useId();
  const set = (name: string, value: string) => replaceAddress(changed(params, name, value));
  const [more, setMore] = useState(() => params.has("since") || params.has("until"));
  return (
    <search className="mb-2 flex flex-wrap items-center gap-2">
      <AddressSearch name="q" label={t("services.logSearch")} address={changed} />
      <label className="tap flex items-center gap-1.5">
        <input
          type="checkbox"
          checked={params.get("regex") === "1"}
          onChange={(event) => set("regex", event.target.checked ? "1" : "")}
        />
        {t("services.regex")}
      </label>
      <select
        className="input w-auto!"
        aria-label={t("services.level")}
        value={params.get("level") ?? ""}
        onChange={(event) => set("level", event.target.value)}
      >
        <option value="">{t("services.anyLevel")}</option>
        {logLevels.slice(1).map((level) => (
          <option key={level} value={level}>
            {t("services.levelFrom", { level })}
          </option>
        ))}
      </select>
      <button type="button" className="btn btn-quiet" aria-expanded={more} onClick={() => setMore(!more)}>
        {t("services.range")}
      </button>
      {more && (
        <div className="flex w-full flex-wrap items-center gap-x-4 gap-y-2">
          {(["since", "until"] as const).map((name) => (
            <span key={name} className="flex items-center gap-2">
              <label htmlFor={`${id}-${name}`} className="text-mute">
                {t(`services.${name}`)}
              </label>
              <input
                id={`${id}-${name}`}
                type="datetime-local"
                step="1"
                className="input w-auto!"
                value={params.get(name) ?? ""}
                onChange={(event) => set(name, event.target.value)}
              />
            </span>
          ))}
        </div>
      )}
    </search>
  );
}

export function LogsPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const asked = useMemo(() => queryOf(new URLSearchParams(params)), [params]);
  return (
    <div className="flex h-full flex-col px-3 py-3 sm:px-5">
      {asked !== null && asked.ignored.length > 0 && (
        <p className="mb-2" role="alert">
          <Status tone="warn">
            {t("services.logIgnored", {
              what: asked.ignored.slice(0, 5).join(", "),
              levels: logLevels.join(", "),
              count: maxSources,
            })}
          </Status>
        </p>
      )}
      {asked === null ? <Choose /> : <Log query={asked.query} />}
      <h1 className="sr-only">{t("services.logs")}</h1>
    </div>
  );
}

/** No container in the address: all there are, to choose from. */
function Choose() {
  const t = useTranslations();
  const { rows } = useServices();
  const sorted = [...rows.values()].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <Empty title={t("services.chooseLog")}>
      <ul className="mt-2 flex flex-wrap justify-center gap-2">
        {sorted.map((row) => (
          <li key={row.id}>
            <Link className="btn" href={`/services/logs?of=${encodeURIComponent(`${row.host}/${row.name}`)}`}>
              {row.name}
            </Link>
          </li>
        ))}
      </ul>
    </Empty>
  );
}

function Log({ query }: { readonly query: LogQuery }) {
  const t = useTranslations();
  const say = useSay();
  const question = JSON.stringify(query);
  const log = useLog(question);
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(true);
  // Paused: what is seen stands still, what comes is kept and counted.
  const [held, setHeld] = useState<typeof log.lines | null>(null);
  // Another question is not what was paused.
  const [pausedAt, setPausedAt] = useState(question);
  if (pausedAt !== question) {
    setPausedAt(question);
    setHeld(null);
  }
  const lines = held ?? log.lines;
  const newer = held === null ? 0 : log.lines.filter(({ key }) => key > (held.at(-1)?.key ?? 0)).length;
  const names = query.of.map(({ id }) => id);
  return (
    <>
      <Filters />
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <span className="mr-auto flex min-w-0 flex-wrap items-center gap-x-3">
          <b className="min-w-0 truncate font-semibold">
            {names.length > 3 ? `${names.slice(0, 3).join(", ")} +${names.length - 3}` : names.join(", ")}
          </b>
          <span role="status">
            {log.state === "live" && held === null && <Status tone="up">{t("services.logLive")}</Status>}
            {log.state === "live" && held !== null && (
              <Status tone="warn">{t("services.logPaused", { count: newer })}</Status>
            )}
            {log.state === "ended" && <Status tone="unknown">{t("services.logEnded")}</Status>}
            {log.state === "broken" && <Status tone="down">{t("services.logBroken")}</Status>}
          </span>
        </span>
        <button type="button" className="btn" onClick={() => setHeld(held === null ? log.lines : null)}>
          {held === null ? t("services.pause") : t("services.resume")}
        </button>
        <button type="button" className="btn" aria-pressed={follow} onClick={() => setFollow(!follow)}>
          {follow ? t("services.followOff") : t("services.followOn")}
        </button>
        <button type="button" className="btn" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          {wrap ? t("services.wrapOff") : t("services.wrapOn")}
        </button>
        <a className="btn" href={fileAddress(query)} download>
          {t("services.download")}
        </a>
      </div>
      {log.error !== null && log.state === "broken" && <Failure error={log.error} />}
      {[...log.sources].map(([from, source]) => (
        <p key={from} className="mb-1">
          <Status tone={source.state === "failed" ? "down" : "unknown"}>
            {t(source.state === "failed" ? "services.sourceFailed" : "services.sourceEnded", {
              name: names[from] ?? "",
            })}
          </Status>
          {source.message !== null && <code className="ml-5 block text-mute">{source.message}</code>}
        </p>
      ))}
      {!log.whole && (
        <p className="mb-1">
          <Status tone="warn">
            {t("services.notWhole", { count: log.scanned })}{" "}
            {log.searched.since !== null &&
              t("services.searchedSince", { time: say.time(log.searched.since) })}
            {log.searched.until !== null &&
              t("services.searchedUntil", { time: say.time(log.searched.until) })}
          </Status>
        </p>
      )}
      {log.cutBefore !== null && (
        <p className="mb-1">
          <Status tone="warn">{t("services.cutBefore", { time: say.time(log.cutBefore) })}</Status>
        </p>
      )}
      <div className="card flex min-h-64 flex-1 flex-col overflow-hidden">
        {log.state === "loading" && <Skeleton rows={10} />}
        {log.state !== "loading" && lines.length === 0 && (
          <Empty title={query.search || query.levels ? t("services.noLineMatches") : t("services.noLine")} />
        )}
        {lines.length > 0 && (
          <LogView
            lines={lines}
            names={names}
            wrap={wrap}
            follow={follow && held === null}
            onFollow={setFollow}
            label={t("services.logs")}
          />
        )}
      </div>
      <p className="mt-1.5 text-xs text-mute">
        {t("services.held", { count: lines.length })}
        {lines.length >= maxLines && ` ${t("services.heldMost", { count: say.number(maxLines) })}`}
        {log.dropped > 0 && ` ${t("services.droppedAll", { count: log.dropped })}`}
      </p>
    </>
  );
}
