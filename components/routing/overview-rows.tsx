"use client";
// The lists of a Traefik: routers, services, middlewares, entry points, certificates. On a phone each row is a card of its own.
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { useSay } from "@/components/ui/say";
import { Status, type Tone } from "@/components/ui/status";
import type {
  CertificateRow,
  Figures as FiguresOf,
  MiddlewareRow,
  RouterRow,
  ServiceRow,
  TraefikNow,
} from "@/lib/routing/overview/contract";
import { Faults } from "./overview-problems";

export const lists = [
  "routers",
  "services",
  "middlewares",
  "entryPoints",
  "tcp",
  "udp",
  "certificates",
] as const;
export type List = (typeof lists)[number];

/** More are found by the filter. */
const mostShown = 100;
const tones = { enabled: "up", warning: "warn", disabled: "down" } satisfies Record<
  RouterRow["status"],
  Tone
>;

/** A row that one looks for by its name, its rule or its address. */
type Row = { readonly key: string; readonly words: string; readonly draw: () => ReactNode };

function Figures({ of }: { readonly of: FiguresOf | null }) {
  const t = useTranslations();
  const say = useSay();
  if (of === null) return null;
  return (
    <span className="num text-mute">
      {t("routing.overview.rate", { value: say.number(of.perSecond, of.perSecond < 10 ? 2 : 0) })}
      {of.errors !== null && (
        <span className={of.errors > 0 ? "text-down-ink" : ""}>
          {" · "}
          {t("routing.overview.errors", { share: say.percent(of.errors, 1) })}
        </span>
      )}
      {of.p95Ms !== null && ` · ${t("routing.overview.p95", { time: say.duration(of.p95Ms) })}`}
    </span>
  );
}

function UsedBy({ names }: { readonly names: readonly string[] }) {
  const t = useTranslations();
  const say = useSay();
  if (names.length === 0) return <span className="text-faint">{t("routing.overview.unused")}</span>;
  const shown = names.length > 4 ? [...names.slice(0, 4), `+${names.length - 4}`] : names;
  return <span className="text-mute">{t("routing.overview.usedBy", { names: say.list(shown) })}</span>;
}

/** Name and state, then what is said of it, then figures. */
function Line({
  status,
  name,
  note,
  figures = null,
  children,
}: {
  readonly status: RouterRow["status"];
  readonly name: string;
  readonly note?: string;
  readonly figures?: FiguresOf | null;
  readonly children: ReactNode;
}) {
  const t = useTranslations();
  return (
    <>
      <div className="min-w-0">
        <b className="font-semibold break-all">{name}</b>
        <div className="text-xs">
          <Status tone={tones[status]}>{t(`routing.overview.standing.${status}`)}</Status>
        </div>
        {note && <span className="block text-xs break-all text-mute">{note}</span>}
      </div>
      <div className="grid min-w-0 gap-0.5 text-xs break-words">{children}</div>
      <div className="text-xs lg:text-right">
        <Figures of={figures} />
      </div>
    </>
  );
}

function RouterLine({ one }: { readonly one: RouterRow }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <Line
      status={one.status}
      name={one.source}
      figures={one.figures}
      {...(one.source === one.name ? {} : { note: t("routing.overview.part", { name: one.name }) })}
    >
      <code className="break-words">{one.rule}</code>
      <span className="text-mute">
        {t("routing.overview.at", { points: say.list(one.entryPoints) })}
        {one.tls && ` · ${t("routing.overview.tls")}`}
        {/* Traefik's own are as high as numbers go. */}
        {Number.isSafeInteger(Number(one.priority)) &&
          one.protocol !== "udp" &&
          ` · ${t("routing.priority", { value: say.number(Number(one.priority)) })}`}
        {one.service !== "" && ` · ${t("routing.leads", { service: one.service })}`}
        {one.middlewares.length > 0 && ` · ${t("routing.through", { names: say.list(one.middlewares) })}`}
      </span>
      <Faults faults={one.faults} />
    </Line>
  );
}

function ServiceLine({ one }: { readonly one: ServiceRow }) {
  return (
    <Line status={one.status} name={one.name} note={one.type} figures={one.figures}>
      {one.servers.length > 0 && (
        <ul>
          {one.servers.map(({ url, up }) => (
            <li key={url}>
              <Status tone={up ? "up" : "down"}>
                <span className="break-all">
                  {url} {up ? "UP" : "DOWN"}
                </span>
              </Status>
            </li>
          ))}
        </ul>
      )}
      <UsedBy names={one.usedBy} />
      <Faults faults={one.faults} />
    </Line>
  );
}

function MiddlewareLine({ one }: { readonly one: MiddlewareRow }) {
  return (
    <Line
      status={one.status}
      name={one.name}
      note={one.protocol === "http" ? one.type : `${one.type} (${one.protocol.toUpperCase()})`}
    >
      <UsedBy names={one.usedBy} />
    </Line>
  );
}

function CertificateLine({ one, soonDays }: { readonly one: CertificateRow; readonly soonDays: number }) {
  const t = useTranslations();
  const say = useSay();
  const tone = one.days < 0 ? "down" : one.days < soonDays ? "warn" : "up";
  return (
    <>
      <div className="min-w-0">
        <b className="font-semibold break-all">{one.commonName || one.sans[0]}</b>
        <span className="block text-xs text-mute">{one.issuer}</span>
      </div>
      <div className="min-w-0 text-xs break-words text-mute">{one.sans.join(", ")}</div>
      <div className="text-xs lg:text-right">
        <Status tone={tone}>
          {one.days < 0 ? t("routing.overview.over") : t("routing.overview.days", { days: one.days })}
        </Status>
        <time className="num block text-mute" dateTime={one.notAfter} title={say.utc(one.notAfter)}>
          {say.date(one.notAfter)}
        </time>
      </div>
    </>
  );
}

function useRows(list: List, now: TraefikNow): Row[] {
  const t = useTranslations();
  const routers = (protocol: RouterRow["protocol"]): Row[] =>
    now.routers.rows
      .filter((one) => one.protocol === protocol)
      .map((one) => ({
        key: `router ${one.name}`,
        words: [one.name, one.source, one.rule, one.service, ...one.entryPoints, ...one.middlewares].join(
          " ",
        ),
        draw: () => <RouterLine one={one} />,
      }));
  const services = (protocol: RouterRow["protocol"]): Row[] =>
    now.services.rows
      .filter((one) => one.protocol === protocol)
      .map((one) => ({
        key: `service ${one.name}`,
        words: [one.name, one.type, ...one.servers.map(({ url }) => url), ...one.usedBy].join(" "),
        draw: () => <ServiceLine one={one} />,
      }));
  switch (list) {
    case "routers":
      return routers("http");
    case "services":
      return services("http");
    case "tcp":
    case "udp":
      return [...routers(list), ...services(list)];
    case "middlewares":
      return now.middlewares.rows.map((one) => ({
        key: `${one.protocol} ${one.name}`,
        words: [one.name, one.type, ...one.usedBy].join(" "),
        draw: () => <MiddlewareLine one={one} />,
      }));
    case "entryPoints":
      return now.entryPoints.map(({ name, address, routers: count }) => ({
        key: name,
        words: `${name} ${address}`,
        draw: () => (
          <>
            <b className="font-semibold break-all">{name}</b>
            <code className="text-xs">{address}</code>
            <span className="num text-xs text-mute lg:text-right">
              {t("routing.overview.routersHere", { count })}
            </span>
          </>
        ),
      }));
    case "certificates":
      return (now.certificates?.rows ?? []).map((one) => ({
        key: one.id,
        words: [one.commonName, one.issuer, ...one.sans].join(" "),
        draw: () => <CertificateLine one={one} soonDays={now.soonDays} />,
      }));
  }
}

/** What there are no figures of, and which setting would give them. */
function FiguresNote({ list, live }: { readonly list: List; readonly live: TraefikNow["live"] }) {
  const t = useTranslations();
  const say = useSay();
  if (list !== "routers" && list !== "services") return null;
  const missing = live.state === "told" && list === "routers" && live.routersMissing;
  return (
    <p className="border-b border-line px-3 py-2 text-xs text-mute">
      {missing
        ? t("routing.overview.live.labels")
        : t(`routing.overview.live.${live.state}`, { time: say.duration(live.windowMs) })}
      {live.problem !== null && ` ${say.key("problems", live.problem.problem, live.problem.params)}`}
    </p>
  );
}

/** One list of one Traefik, filtered. */
export function TraefikList({
  name,
  now,
  list,
  find,
}: {
  readonly name: string;
  readonly now: TraefikNow;
  readonly list: List;
  readonly find: string;
}) {
  const t = useTranslations();
  const rows = useRows(list, now);
  const wanted = find.toLowerCase().split(/\s+/);
  const found = rows.filter(({ words }) => wanted.every((word) => words.toLowerCase().includes(word)));
  const left =
    list === "certificates"
      ? (now.certificates?.more ?? 0)
      : list === "routers" || list === "services" || list === "middlewares"
        ? now[list].more
        : 0;
  const more = Math.max(0, found.length - mostShown) + (find === "" ? left : 0);
  const none = list === "certificates" && now.certificates === null ? "certificatesUntold" : "none";
  return (
    <section className="card mb-3" aria-label={`${name}: ${t(`routing.overview.lists.${list}`)}`}>
      <h3 className="border-b border-line px-3 py-2.5 font-semibold">{name}</h3>
      <FiguresNote list={list} live={now.live} />
      {found.length === 0 ? (
        <p className="p-3 text-mute">{t(`routing.overview.${rows.length > 0 ? "nothingFound" : none}`)}</p>
      ) : (
        <ul>
          {found.slice(0, mostShown).map(({ key, draw }) => (
            <li
              key={key}
              className="grid gap-x-4 gap-y-1 border-b border-line px-3 py-2.5 last:border-0 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)_170px] lg:items-start"
            >
              {draw()}
            </li>
          ))}
        </ul>
      )}
      {more > 0 && (
        <p className="border-t border-line px-3 py-2 text-xs text-mute">
          {t("routing.overview.more", { count: more })}
        </p>
      )}
    </section>
  );
}
