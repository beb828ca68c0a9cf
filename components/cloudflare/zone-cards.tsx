"use client";
// A zone on its component's page: its last hour by Cloudflare's count, and how it is set.
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { useMe } from "@/components/frame/me";
import { Course } from "@/components/overview/course";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useAgain } from "@/components/ui/use-again";
import { query } from "@/lib/api/client";
import type { ZoneState, ZoneTrafficCourse } from "@/lib/cloudflare/contract";
import type { ToldProblem } from "@/lib/errors/contract";
import { type AskedZone, ZoneDialog } from "./zone-dialog";

const refreshMs = 30_000;
/** `since`: when its state changed; how it is set may be otherwise from then on. */
function useZone(name: string, since: string) {
  const zone = useQuery({
    ...query.cloudflare.get.queryOptions({ input: { name } }),
    refetchInterval: refreshMs,
    retry: false,
  });
  useAgain(since, zone.refetch);
  return zone;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function Why({ problem }: { readonly problem: ToldProblem }) {
  const say = useSay();
  return <Status tone="warn">{say.key("problems", problem.problem, problem.params)}</Status>;
}

function Hour({
  traffic,
  problem,
}: {
  readonly traffic: ZoneTrafficCourse;
  readonly problem: ToldProblem | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const { requests, cached, bytes, failed, threats, stepMs } = traffic;
  const end = Date.parse(traffic.end);
  const perSecond = (value: number) =>
    t("overview.perSecond", { value: say.number(value, value < 10 ? 1 : 0) });
  const shares = requests.map((all, index) => shareOf(cached[index] ?? 0, all));
  const share = shareOf(sum(cached), sum(requests));
  const clock = (at: number) => say.clock(new Date(at).toISOString()).slice(0, 5);
  const courses = [
    ["requests", requests.map((one) => one / (stepMs / 1000)), perSecond, 1],
    ["cached", shares, (value: number) => say.percent(value), 1],
    [
      "bytes",
      bytes.map((one) => one / (stepMs / 1000)),
      (value: number) => t("overview.perSecond", { value: say.bytes(value) }),
      1000,
    ],
    ["threats", threats, (value: number) => say.number(value), 1],
  ] as const;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3 p-3">
      <p>
        {t("zone.hour", {
          requests: sum(requests),
          share: share === null ? "–" : say.percent(share),
          bytes: say.bytes(sum(bytes)),
          failed: sum(failed),
        })}{" "}
        {threats !== null && t("zone.hourThreats", { threats: sum(threats) })}
      </p>
      <div className="grid grid-cols-2 gap-4">
        {courses.map(([name, values, write, top]) =>
          values === null ? null : (
            <Course
              key={name}
              title={t(`zone.courses.${name}`)}
              values={values}
              stepMs={stepMs}
              end={end}
              say={write}
              top={top}
              marks={[]}
            />
          ),
        )}
      </div>
      {problem !== null && (
        <p>
          {t("zone.noThreats")} {say.key("problems", problem.problem, problem.params)}
        </p>
      )}
      <details>
        <summary className="tap text-mute">{t("overview.table")}</summary>
        <Scroll label={t("zone.title")}>
          <table className="num w-full text-left">
            <thead className="text-xs text-mute">
              <tr>
                {(["minute", "requests", "cached", "bytes", "failed", "threats"] as const).map((one) => (
                  <th key={one} className="py-1 pr-4 font-normal whitespace-nowrap">
                    {t(`zone.columns.${one}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {requests
                .map((all, index) => {
                  const at = end - (requests.length - index) * stepMs;
                  const part = shares[index] ?? null;
                  return (
                    <tr key={at} className="border-t border-line">
                      <td className="py-1 pr-4">{clock(at)}</td>
                      <td className="py-1 pr-4">{say.number(all)}</td>
                      <td className="py-1 pr-4">{part === null ? "–" : say.percent(part)}</td>
                      <td className="py-1 pr-4 whitespace-nowrap">{say.bytes(bytes[index] ?? 0)}</td>
                      <td className="py-1 pr-4">{say.number(failed[index] ?? 0)}</td>
                      <td className="py-1">{threats === null ? "–" : say.number(threats[index] ?? 0)}</td>
                    </tr>
                  );
                })
                .reverse()}
            </tbody>
          </table>
        </Scroll>
      </details>
    </div>
  );
}

/** The zone's last hour. */
export function ZoneTraffic({ name, since }: { readonly name: string; readonly since: string }) {
  const t = useTranslations();
  const say = useSay();
  const zone = useZone(name, since);
  const traffic = zone.data?.traffic ?? null;
  return (
    <section className="card min-w-0">
      <h2 className="flex flex-wrap items-baseline gap-x-3">
        {t("zone.title")}
        {traffic !== null && (
          <time dateTime={traffic.end} title={say.utc(traffic.end)} className="ml-auto font-normal text-mute">
            {t("zone.asOf", { time: say.clock(traffic.end).slice(0, 5) })}
          </time>
        )}
      </h2>
      {zone.error && !zone.data && (
        <p className="p-3">
          <Status tone="down">{say.problem(problemOf(zone.error))}</Status>
        </p>
      )}
      {!zone.data && !zone.error && <Skeleton rows={4} />}
      {zone.data?.trafficProblem != null && (
        <p className="p-3">
          <Why problem={zone.data.trafficProblem} />
        </p>
      )}
      {zone.data && traffic === null && zone.data.trafficProblem === null && (
        <p className="p-3 text-mute">{t("zone.notYet")}</p>
      )}
      {traffic !== null && <Hour traffic={traffic} problem={zone.data?.threatsProblem ?? null} />}
    </section>
  );
}

/** Now, once in ten seconds: what remains of a time is told in minutes. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Attack({ attack }: { readonly attack: NonNullable<ZoneState["attack"]> }) {
  const t = useTranslations();
  const say = useSay();
  const left = Date.parse(attack.until) - useNow();
  return (
    <p className="w-full text-mute">
      {left > 0
        ? t("zone.attackEnds", {
            time: say.time(attack.until),
            left: say.duration(left),
            level: t(`zone.levels.${attack.backTo}`),
          })
        : t("zone.attackOverdue", { time: say.time(attack.until), level: t(`zone.levels.${attack.backTo}`) })}
      {attack.problem !== null && (
        <span className="block">
          <Why problem={attack.problem} />
        </span>
      )}
    </p>
  );
}

/** How the zone is set, and the ways to set it otherwise. */
export function ZoneSettings({ name, since }: { readonly name: string; readonly since: string }) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const now = useNow();
  const zone = useZone(name, since);
  const [asked, setAsked] = useState<AskedZone | null>(null);
  const settings = zone.data?.settings ?? null;
  const attack = zone.data?.attack ?? null;
  const until = settings?.developmentUntil ?? null;
  const developing = until !== null && Date.parse(until) > now;
  return (
    <section className="card min-w-0">
      <h2>{t("zone.settings")}</h2>
      {!zone.data && !zone.error && <Skeleton rows={2} />}
      {zone.data?.settingsProblem != null && (
        <p className="p-3">
          <Why problem={zone.data.settingsProblem} />
        </p>
      )}
      {settings !== null && (
        <dl>
          <div className="row flex-wrap items-center">
            <dt className="w-40 shrink-0 text-mute">{t("zone.level")}</dt>
            <dd className="min-w-0 flex-1">
              {settings.level === "under_attack" ? (
                <Status tone="warn">{t("zone.levels.under_attack")}</Status>
              ) : (
                t(`zone.levels.${settings.level}`)
              )}
            </dd>
            {me.may.operate && (
              <dd className="flex flex-wrap gap-2">
                {settings.level === "under_attack" ? (
                  <button
                    type="button"
                    className="btn"
                    onClick={() => setAsked({ act: "level", level: attack?.backTo ?? "medium" })}
                  >
                    {t("zone.endAttack")}
                  </button>
                ) : (
                  <button
                    type="button"
                    className="btn"
                    onClick={() => setAsked({ act: "level", level: "under_attack" })}
                  >
                    {t("zone.attack")}
                  </button>
                )}
                <button
                  type="button"
                  className="btn"
                  onClick={() => setAsked({ act: "level", level: settings.level })}
                >
                  {t("zone.change")}
                </button>
              </dd>
            )}
            {attack !== null && <Attack attack={attack} />}
            {settings.level === "under_attack" && attack === null && (
              <p className="w-full text-mute">{t("zone.attackOfOthers")}</p>
            )}
          </div>
          <div className="row flex-wrap items-center">
            <dt className="w-40 shrink-0 text-mute">{t("zone.development")}</dt>
            <dd className="min-w-0 flex-1">
              {developing ? (
                <Status tone="warn">{t("zone.on")}</Status>
              ) : (
                <span className="text-mute">{t("zone.off")}</span>
              )}
            </dd>
            {me.may.operate && (
              <dd>
                <button
                  type="button"
                  className="btn"
                  onClick={() => setAsked({ act: "development", value: developing ? "off" : "on" })}
                >
                  {t(developing ? "zone.turnOff" : "zone.turnOn")}
                </button>
              </dd>
            )}
            {developing && (
              <p className="w-full text-mute">
                {t("zone.developmentEnds", {
                  time: say.time(until),
                  left: say.duration(Date.parse(until) - now),
                })}
              </p>
            )}
          </div>
        </dl>
      )}
      {asked !== null && zone.data && (
        <ZoneDialog name={name} plan={zone.data.plan} asked={asked} onClose={() => setAsked(null)} />
      )}
    </section>
  );
}
