// A site's status for editors and clients: one sentence, what is announced, ninety days, what happened. Rendered on the server only.
import { useFormatter, useTranslations } from "next-intl";
import { Status, StatusShape, type Tone } from "@/components/ui/status";
import type { StatusPage as Shown, SiteState, SiteWork, Trouble } from "@/lib/status/contract";
import { LookAgain } from "./look-again";

const tones: Record<SiteState, Tone> = {
  up: "up",
  slow: "warn",
  partial: "warn",
  down: "down",
  unknown: "unknown",
};
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** Times in the site's own zone: the server does not know the visitor's. */
function useTimes({ at, timeZone }: Pick<Shown, "at" | "timeZone">) {
  const format = useFormatter();
  const dayOf = (iso: string) => format.dateTime(new Date(iso), { timeZone, dateStyle: "short" });
  const clock = (iso: string) =>
    format.dateTime(new Date(iso), { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const full = (iso: string) =>
    format.dateTime(new Date(iso), {
      timeZone,
      day: "numeric",
      month: "long",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  /** A number stays beside its unit. */
  const unit = (value: number, name: "minute" | "hour" | "day") =>
    format
      .number(value, { style: "unit", unit: name, unitDisplay: "long", maximumFractionDigits: 1 })
      .replaceAll(" ", "\u00a0");
  return {
    /** "02:14" today, else with its day. */
    time: (iso: string) => (dayOf(iso) === dayOf(at) ? clock(iso) : full(iso)),
    /** The end of what began at `from`: its day only where it is another one. */
    end: (from: string, iso: string) => (dayOf(iso) === dayOf(from) ? clock(iso) : full(iso)),
    full,
    asOf: format.dateTime(new Date(at), {
      timeZone,
      day: "numeric",
      month: "long",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    }),
    /** Days are of UTC. */
    day: (day: string) =>
      format.dateTime(new Date(`${day}T12:00:00Z`), { timeZone: "UTC", day: "numeric", month: "long" }),
    lasting(ms: number): string {
      const minutes = Math.max(1, Math.round(ms / 60_000));
      if (minutes < 60) return unit(minutes, "minute");
      if (ms >= 2 * dayMs) return unit(ms / dayMs, "day");
      const hours = unit(Math.floor(minutes / 60), "hour");
      return minutes % 60 === 0 ? hours : `${hours} ${unit(minutes % 60, "minute")}`;
    },
    /** Never rounds an outage away: 99.97 %, not 100 %. */
    share: (share: number) =>
      format.number(Math.floor(share * 10_000) / 10_000, { style: "percent", maximumFractionDigits: 2 }),
  };
}
type Times = ReturnType<typeof useTimes>;

function Headline({ page, times }: { readonly page: Shown; readonly times: Times }) {
  const t = useTranslations();
  const { state, since } = page;
  const [work] = page.now;
  const time = since === null ? "" : times.time(since);
  return (
    <div className="card flex items-start gap-3.5 p-4 sm:p-5">
      <span className="mt-0.5">
        <StatusShape tone={work === undefined ? tones[state] : "run"} size={28} />
      </span>
      <div className="min-w-0">
        <p className="text-xl font-semibold text-balance sm:text-2xl">
          {work === undefined
            ? t(`status.states.${state}`, { time })
            : t("status.work", { time: times.time(work.endsAt), title: work.title })}
        </p>
        <p className="mt-1 text-base text-mute">
          {work === undefined ? t(`status.texts.${state}`, { time }) : t(`status.workTexts.${state}`)}
        </p>
      </div>
    </div>
  );
}

function Works({ works, times }: { readonly works: readonly SiteWork[]; readonly times: Times }) {
  const t = useTranslations();
  if (works.length === 0) return null;
  return (
    <section className="card">
      <h2 className="text-base">{t("status.later")}</h2>
      <ul>
        {works.map(({ title, startsAt, endsAt }) => (
          <li key={`${startsAt} ${title}`} className="row flex-col">
            <span className="text-base font-medium">{title}</span>
            <span className="text-mute">
              {t("status.fromTo", { from: times.full(startsAt), to: times.end(startsAt, endsAt) })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Day = Shown["days"][number];
/** By height as well as by colour. */
const barOf = ({ up, downMs }: Day): { readonly height: string; readonly colour: string } =>
  up === null
    ? { height: "12%", colour: "var(--edge)" }
    : downMs === 0
      ? { height: "100%", colour: "var(--up)" }
      : downMs < hourMs
        ? { height: "70%", colour: "var(--warn)" }
        : { height: "45%", colour: "var(--down)" };

function Days({ page, times }: { readonly page: Shown; readonly times: Times }) {
  const t = useTranslations();
  const watched = page.days.filter(({ watchedMs }) => watchedMs > 0);
  const said = ({ up, downMs }: Day) =>
    up === null
      ? t("status.notWatched")
      : downMs === 0
        ? times.share(1)
        : `${times.share(up)} (${t("status.downFor")} ${times.lasting(downMs)})`;
  return (
    <section className="card">
      <h2 className="text-base">{t("status.days")}</h2>
      <div className="p-3">
        <p className="text-base">
          {page.up === null ? t("status.noDays") : t("status.share", { share: times.share(page.up) })}
        </p>
        {watched.length > 0 && (
          <>
            <div
              role="img"
              aria-label={t("status.daysAlt", { count: watched.filter(({ downMs }) => downMs > 0).length })}
              className="mt-3 flex h-10 items-end gap-px sm:gap-0.5"
            >
              {page.days.map((day) => {
                const { height, colour } = barOf(day);
                return (
                  <span
                    key={day.day}
                    title={`${times.day(day.day)}: ${said(day)}`}
                    className="flex-1 rounded-sm"
                    style={{ height, background: colour }}
                  />
                );
              })}
            </div>
            <p aria-hidden="true" className="mt-1 flex justify-between text-xs text-mute">
              <span>{t("status.earlier")}</span>
              <span>{t("status.today")}</span>
            </p>
            <details className="mt-1">
              <summary className="tap text-mute">{t("status.table")}</summary>
              <table className="table num">
                <thead>
                  <tr>
                    <th scope="col">{t("status.day")}</th>
                    <th scope="col">{t("status.could")}</th>
                    <th scope="col">{t("status.downFor")}</th>
                  </tr>
                </thead>
                <tbody>
                  {watched.toReversed().map(({ day, up, downMs }) => (
                    <tr key={day}>
                      <td>{times.day(day)}</td>
                      <td>{up === null ? "–" : times.share(up)}</td>
                      <td>{downMs === 0 ? "–" : times.lasting(downMs)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          </>
        )}
      </div>
    </section>
  );
}

function TroubleLine({ trouble, times }: { readonly trouble: Trouble; readonly times: Times }) {
  const t = useTranslations();
  const { state, from, to, ms } = trouble;
  return (
    <li className="row flex-col">
      <span className="text-base">
        <Status tone={tones[state]} size={16}>
          <span className="text-ink">
            {to === null ? t(`status.is.${state}`) : t(`status.was.${state}`, { time: times.lasting(ms) })}
          </span>
        </Status>
      </span>
      <span className="text-mute">
        {to === null
          ? t("status.since", { time: times.time(from) })
          : t("status.fromTo", { from: times.full(from), to: times.end(from, to) })}
      </span>
    </li>
  );
}

export function StatusPage({ page }: { readonly page: Shown }) {
  const t = useTranslations();
  const times = useTimes(page);
  return (
    <main className="mx-auto grid max-w-[720px] gap-4 px-4 py-6 sm:py-10">
      <h1 className="text-base font-semibold text-mute">{t("status.of", { site: page.title })}</h1>
      <Headline page={page} times={times} />
      <Works works={[...page.now.slice(1), ...page.later]} times={times} />
      <Days page={page} times={times} />
      <section className="card">
        <h2 className="text-base">{t("status.history")}</h2>
        {page.troubles.length === 0 ? (
          <p className="p-3 text-base text-mute">{t("status.nothing")}</p>
        ) : (
          <ol>
            {page.troubles.map((one) => (
              <TroubleLine key={one.from} trouble={one} times={times} />
            ))}
          </ol>
        )}
      </section>
      <footer className="flex flex-wrap items-center gap-x-2 text-mute">
        <span>
          <time dateTime={page.at}>{t("status.asOf", { time: times.asOf })}</time> {t("status.renews")}
        </span>
        <a href="?" className="link tap">
          {t("status.again")}
        </a>
      </footer>
      <LookAgain />
      {/* It loses the reader's place: only where no script runs. */}
      <noscript>
        <meta httpEquiv="refresh" content="60" />
      </noscript>
    </main>
  );
}
