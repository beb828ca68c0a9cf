"use client";
// What a Varnish tells of itself: VCLs, backends and their probes, bans, counters, parameters, storage, its last panic.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { healthAddress } from "@/components/overview/words";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { NodeFacts as Facts, Part } from "@/lib/vcl/facts/contract";
import { Looks } from "./node-looks";

const refreshMs = 15_000;

type Data<K extends keyof Facts> = NonNullable<Facts[K]> extends Part<infer T> ? T : never;

/** A part's card: what it tells, or why it tells nothing, unless that was `said` above already. */
function Section<T>({
  title,
  part,
  said,
  children,
}: {
  readonly title: string;
  readonly part: Part<T>;
  readonly said: string | null;
  readonly children: (data: T) => ReactNode;
}) {
  const say = useSay();
  if (part.state === "failed" && part.problem.problem === said) return null;
  return (
    <section className="card min-w-0">
      <h2>{title}</h2>
      {part.state === "ok" ? (
        children(part.data)
      ) : (
        <p className="p-3">
          <Status tone="down">{say.key("problems", part.problem.problem, part.problem.params)}</Status>
        </p>
      )}
    </section>
  );
}

function Time({ iso }: { readonly iso: string }) {
  const say = useSay();
  return (
    <time dateTime={iso} title={say.utc(iso)} className="num whitespace-nowrap text-mute">
      {say.time(iso)}
    </time>
  );
}

const vclTone = (vcl: Data<"vcls">[number]): Tone =>
  vcl.status === "active" ? "up" : vcl.status === "discarded" ? "warn" : "unknown";

function Vcls({ rows }: { readonly rows: Data<"vcls"> }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <Scroll label={t("vcl.node.vcls")}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t("vcl.node.name")}</th>
            <th scope="col">{t("vcl.node.status")}</th>
            <th scope="col">{t("vcl.node.temperature")}</th>
            <th scope="col" className="text-right!">
              {t("vcl.node.busy")}
            </th>
            <th scope="col">{t("vcl.node.labels")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.name}>
              <td className="min-w-32">
                <code className={one.status === "active" ? "font-semibold" : ""}>{one.name}</code>
              </td>
              <td className="whitespace-nowrap">
                {one.state === "label" ? (
                  <span className="text-mute">{t("vcl.node.label")}</span>
                ) : (
                  <Status tone={vclTone(one)}>{say.key("vcl.node.states", one.status)}</Status>
                )}
              </td>
              <td className="whitespace-nowrap text-mute">
                {say.key("vcl.node.temperatures", one.temperature)}
                {(one.state === "cold" || one.state === "warm") && ` · ${t("vcl.node.forced")}`}
              </td>
              <td className="num text-right">{say.number(one.busy)}</td>
              <td className="min-w-32">
                {one.target !== null && (
                  <span>
                    <span aria-hidden="true">→ </span>
                    <span className="sr-only">{t("vcl.node.pointsAt")} </span>
                    <code>{one.target}</code>
                  </span>
                )}
                {one.labels.map((label) => (
                  <code key={label} className="mr-2">
                    {label}
                  </code>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Backends({ rows }: { readonly rows: Data<"backends"> }) {
  const t = useTranslations();
  const say = useSay();
  if (rows.length === 0) return <p className="p-3 text-mute">{t("vcl.node.noBackends")}</p>;
  return (
    <ul>
      {[...rows]
        .sort((a, b) => Number(a.healthy) - Number(b.healthy))
        .map((one) => (
          <li
            key={one.name}
            className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 border-b border-line px-3 py-2 last:border-0"
          >
            <span className="min-w-0">
              <code className="break-all">{one.name}</code>
              {one.type !== "backend" && <span className="ml-2 text-xs text-mute">{one.type}</span>}
            </span>
            <span className="justify-self-end">
              <Status tone={one.healthy ? "up" : "down"}>
                {t(one.healthy ? "vcl.node.healthy" : "vcl.node.sick")}
              </Status>
            </span>
            {one.looks.length > 0 ? (
              <Looks looks={one.looks} />
            ) : (
              <span className="text-xs text-mute">{one.of === null ? t("vcl.node.noProbe") : ""}</span>
            )}
            <span className="num col-span-full text-xs text-mute min-[420px]:col-span-1 min-[420px]:text-right">
              {[
                one.admin !== "probe" && one.of !== null && t("vcl.node.byHand"),
                one.good !== null && one.of !== null && `${say.number(one.good)}/${say.number(one.of)}`,
                one.threshold !== null && t("vcl.node.threshold", { count: one.threshold }),
                one.averageMs !== null && t("vcl.node.average", { ms: say.number(one.averageMs, 2) }),
              ]
                .filter(Boolean)
                .join(" · ")}
              {one.changedAt !== null && (
                <time className="block" dateTime={one.changedAt} title={say.utc(one.changedAt)}>
                  {t("vcl.node.changed", { time: say.time(one.changedAt) })}
                </time>
              )}
            </span>
          </li>
        ))}
    </ul>
  );
}

function Bans({ data }: { readonly data: Data<"bans"> }) {
  const t = useTranslations();
  const say = useSay();
  const stuck = data.rows.filter(({ onRequest, completed }) => onRequest && !completed).length;
  return (
    <>
      <p className="px-3 py-2 text-mute">
        {t("vcl.node.bansTotal", { total: data.total, completed: data.completed, shown: data.rows.length })}
      </p>
      {stuck > 0 && (
        <p className="px-3 pb-2">
          <Status tone="warn">{t("vcl.node.bansStuck", { count: stuck })}</Status>
        </p>
      )}
      {data.rows.length > 0 && (
        <Scroll label={t("vcl.node.bans")} className="max-h-96 overflow-y-auto border-t border-line">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("vcl.node.since")}</th>
                <th scope="col">{t("vcl.node.ban")}</th>
                <th scope="col" className="text-right!">
                  {t("vcl.node.refs")}
                </th>
              </tr>
            </thead>
            <tbody>
              {data.rows.map((one, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two bans may be of the same moment
                <tr key={`${one.at} ${index}`}>
                  <td>
                    <Time iso={one.at} />
                  </td>
                  <td>
                    {one.completed ? (
                      <span className="text-mute">{t("vcl.node.completed")}</span>
                    ) : (
                      <code className={one.onRequest ? "text-warn-ink" : ""}>{one.spec}</code>
                    )}
                  </td>
                  <td className="num text-right text-mute">{say.number(one.refs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

/** What is shown of the counters; those of the second kind are not right above 0. */
const figures = [
  "requests",
  "hits",
  "misses",
  "hitPasses",
  "objects",
  "expired",
  "nuked",
  "purges",
  "bans",
  "threads",
] as const;
const faults = [
  "sessionsDropped",
  "threadsLimited",
  "threadsFailed",
  "backendFailed",
  "backendUnhealthy",
  "fetchFailed",
  "vclFailed",
  "bansRequest",
  "childPanics",
] as const;

function Figure({
  name,
  value,
  wrong = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly wrong?: boolean;
}) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-mute">{name}</dt>
      <dd className="num font-medium">{wrong ? <Status tone="warn">{value}</Status> : value}</dd>
    </div>
  );
}

function Counters({ data }: { readonly data: Data<"counters"> }) {
  const t = useTranslations();
  const say = useSay();
  const write = (value: number | null) => (value === null ? "–" : say.number(value));
  const asked = data.hits === null || data.misses === null ? 0 : data.hits + data.misses;
  return (
    <>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(118px,1fr))] gap-x-4 gap-y-3 p-3">
        <Figure
          name={t("vcl.node.counters.ratio")}
          value={asked === 0 ? "–" : say.percent((data.hits ?? 0) / asked, 1)}
        />
        {figures.map((name) => (
          <Figure key={name} name={t(`vcl.node.counters.${name}`)} value={write(data[name])} />
        ))}
        {faults.map((name) => (
          <Figure
            key={name}
            name={t(`vcl.node.counters.${name}`)}
            value={write(data[name])}
            wrong={(data[name] ?? 0) > 0}
          />
        ))}
      </dl>
      {data.childUptime !== null && (
        <p className="px-3 pb-3 text-xs text-mute">
          {t("vcl.node.countedFor", { time: say.duration(data.childUptime * 1000) })}
        </p>
      )}
    </>
  );
}

function Parameters({ data }: { readonly data: Data<"parameters"> }) {
  const t = useTranslations();
  const open = data.dangerous.filter(({ locked }) => !locked);
  return (
    <>
      <ul className="border-b border-line px-3 py-2">
        {data.dangerous.map(({ name, on, locked }) => (
          <li key={name}>
            <Status tone={on ? "down" : locked ? "up" : "warn"}>
              <code>{name}</code>{" "}
              {[
                on !== null && t(on ? "vcl.node.on" : "vcl.node.off"),
                t(locked ? "vcl.node.locked" : "vcl.node.unlocked"),
              ]
                .filter(Boolean)
                .join(" · ")}
            </Status>
          </li>
        ))}
        {open.length > 0 && (
          <li className="mt-1 text-mute">
            {t("vcl.node.lockThem")} <code>-r {open.map(({ name }) => name).join(",")}</code>
          </li>
        )}
      </ul>
      {data.changed.length === 0 ? (
        <p className="p-3 text-mute">{t("vcl.node.allDefault")}</p>
      ) : (
        <Scroll label={t("vcl.node.parameters")}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("vcl.node.name")}</th>
                <th scope="col" className="text-right!">
                  {t("vcl.node.value")}
                </th>
                <th scope="col" className="text-right!">
                  {t("vcl.node.default")}
                </th>
                <th scope="col">{t("vcl.node.units")}</th>
              </tr>
            </thead>
            <tbody>
              {data.changed.map((one) => (
                <tr key={one.name}>
                  <td>
                    <code>{one.name}</code>
                  </td>
                  <td className="text-right">
                    <code>{one.value}</code>
                  </td>
                  <td className="text-right text-mute">
                    <code>{one.default}</code>
                  </td>
                  <td className="text-mute">{one.units}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Storage({
  rows,
  rooms,
}: {
  readonly rows: Data<"storage">;
  readonly rooms: Data<"counters">["rooms"];
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <ul>
      {rows.map(({ name, kind }) => {
        const room = rooms.find((one) => one.name === name.toLowerCase());
        const whole = room === undefined ? 0 : room.used + room.free;
        const share = room === undefined || whole === 0 ? 0 : room.used / whole;
        return (
          <li key={name} className="border-b border-line px-3 py-2 last:border-0">
            <div className="flex flex-wrap items-baseline gap-x-3">
              <code>{name}</code>
              <span className="text-mute">{kind}</span>
              {room !== undefined && (
                <span className="num ml-auto text-mute">
                  {room.free > 0
                    ? t("vcl.node.roomOf", { used: say.bytes(room.used), whole: say.bytes(whole) })
                    : t("vcl.node.roomUsed", { used: say.bytes(room.used) })}
                </span>
              )}
            </div>
            {room !== undefined && room.free > 0 && (
              <div aria-hidden="true" className="mt-1.5 h-1.5 overflow-hidden rounded-full bg-wash">
                <div className="h-full bg-water" style={{ width: `${share * 100}%` }} />
              </div>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** A node's facts, asked again every 15 s. A part that fails says why in its place. */
function NodeFacts({ node }: { readonly node: string }) {
  const t = useTranslations();
  const say = useSay();
  const facts = useQuery({
    ...query.vcl.node.queryOptions({ input: { node } }),
    refetchInterval: refreshMs,
    retry: false,
  });
  if (facts.error && !facts.data) return <Failure error={facts.error} onRetry={() => void facts.refetch()} />;
  if (!facts.data) return <Skeleton rows={10} />;
  const { daemon, vcls, backends, bans, counters, parameters, storage, panic, at } = facts.data;
  const running = daemon.state === "ok" && daemon.data.state === "running";
  const said = daemon.state === "failed" ? daemon.problem.problem : null;
  const rooms = counters?.state === "ok" ? counters.data.rooms : [];
  return (
    <>
      <p className="mb-3 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        {daemon.state === "ok" ? (
          <>
            <Status tone={running ? "up" : "down"}>
              {t("vcl.node.child", { state: say.key("vcl.node.childStates", daemon.data.state) })}
            </Status>
            {daemon.data.version !== null && <span>Varnish {daemon.data.version}</span>}
            <span className="num text-mute">
              {t("vcl.node.pids", {
                master: String(daemon.data.master),
                worker: String(daemon.data.worker ?? "–"),
              })}
            </span>
            {counters?.state === "ok" && counters.data.managerUptime !== null && (
              <span className="num text-mute">
                {t("vcl.node.uptime", { time: say.duration(counters.data.managerUptime * 1000) })}
              </span>
            )}
          </>
        ) : (
          <Status tone="down">{say.key("problems", daemon.problem.problem, daemon.problem.params)}</Status>
        )}
        <span className="ml-auto text-xs text-mute">
          {t("vcl.node.asked")} <Time iso={at} />
        </span>
      </p>
      {panic.state === "ok" && panic.data !== null && (
        <section className="card mb-4 min-w-0">
          <h2>
            <Status tone="down">{t("vcl.node.panic")}</Status>
          </h2>
          <Scroll label={t("vcl.node.panic")} className="max-h-60 overflow-y-auto bg-bg">
            <pre lang="en" className="px-3 py-2">
              {panic.data}
            </pre>
          </Scroll>
        </section>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="grid min-w-0 gap-4">
          <Section title={t("vcl.node.vcls")} part={vcls} said={said}>
            {(data) => <Vcls rows={data} />}
          </Section>
          <Section title={t("vcl.node.backends")} part={backends} said={said}>
            {(data) => <Backends rows={data} />}
          </Section>
          <Section title={t("vcl.node.bans")} part={bans} said={said}>
            {(data) => <Bans data={data} />}
          </Section>
        </div>
        <div className="grid min-w-0 gap-4">
          {counters === null ? (
            <section className="card min-w-0">
              <h2>{t("vcl.node.countersTitle")}</h2>
              <p className="p-3 text-mute">{t("vcl.node.noExporter")}</p>
            </section>
          ) : (
            <Section title={t("vcl.node.countersTitle")} part={counters} said={null}>
              {(data) => <Counters data={data} />}
            </Section>
          )}
          <Section title={t("vcl.node.parameters")} part={parameters} said={said}>
            {(data) => <Parameters data={data} />}
          </Section>
          <Section title={t("vcl.node.storage")} part={storage} said={said}>
            {(data) => <Storage rows={data} rooms={rooms} />}
          </Section>
          {(panic.state === "failed" || panic.data === null) && (
            <Section title={t("vcl.node.panic")} part={panic} said={said}>
              {() => (
                <p className="p-3">
                  <Status tone="up">{t("vcl.node.noPanic")}</Status>
                </p>
              )}
            </Section>
          )}
        </div>
      </div>
    </>
  );
}

export function NodePage({ node }: { readonly node: string }) {
  const t = useTranslations();
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 flex flex-wrap gap-x-3 text-mute">
        <Link className="link tap" href="/vcl">
          {t("vcl.title")}
        </Link>
        <Link className="link tap" href={healthAddress({ kind: "varnish", name: node })}>
          {t("vcl.health")}
        </Link>
      </p>
      <h1 className="mb-3">{node}</h1>
      <NodeFacts node={node} />
    </div>
  );
}
