"use client";
// A component's signals: one range for all charts, in the address; the changes in it; what is said where there are none.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import { rangeFault, type Signals as Told } from "@/lib/health/contract";
import { RangeBar } from "./range-bar";
import { isUnreadable, presets, type Shown, type Span, shownOf, spanOf, withShown } from "./shown-range";
import { commonTo, signalTone, useMarkTitle, useTimes } from "./words";

const SignalChart = dynamic(() => import("./signal-chart").then((module) => module.SignalChart), {
  ssr: false,
  loading: () => <Skeleton rows={5} />,
});

/** New figures come as often as Prometheus looks. */
const tickMs = 15_000;
const mostTicks = 300;

/** Now, by the tick, while somebody looks. */
function useNow(everyMs: number): number {
  const tick = useCallback(() => Math.floor(Date.now() / tickMs) * tickMs, []);
  const [now, setNow] = useState(tick);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") setNow(tick());
    };
    const timer = setInterval(look, everyMs);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [everyMs, tick]);
  return now;
}

/** The width of an element in pixels, in whole fifties, so that a scroll bar changes nothing; 0 before it is known. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const measure = () => setWidth(Math.max(50, Math.round(element.clientWidth / 50) * 50));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

function NoCharts({ kind, name, source }: { kind: string; name: string; source: Told["source"] }) {
  const t = useTranslations();
  const yaml = {
    none: 'systems:\n  prometheus: [{ name: prometheus, url: "http://127.0.0.1:9090" }]',
    ambiguous: `systems:\n  ${kind}:\n    - name: ${name}\n      labels: { instance: "${name}:9100" }`,
  };
  return (
    <div className="p-3">
      <p>{t(`signals.source.${source === "prometheus" ? "unknown" : source}`)}</p>
      {(source === "none" || source === "ambiguous") && (
        <pre className="mt-2 whitespace-pre-wrap">{yaml[source]}</pre>
      )}
    </div>
  );
}

function Changes({ told }: { readonly told: Told }) {
  const t = useTranslations();
  const say = useSay();
  const title = useMarkTitle();
  if (told.marks.length === 0) return null;
  return (
    <div className="p-3">
      <h3 className="text-mute">{t("signals.changes")}</h3>
      <ul className="mt-1 max-h-64 overflow-y-auto">
        {told.marks.toReversed().map((mark) => (
          <li key={mark.id} className="flex flex-wrap gap-x-3 py-0.5">
            <time dateTime={mark.at} title={say.utc(mark.at)} className="num w-32 shrink-0 text-mute">
              {say.time(mark.at)}
            </time>
            <Link className="tap link min-w-0" href={`/history/${mark.id}`}>
              {title(mark)}
            </Link>
            {mark.own && <span className="text-mute">{t("signals.own")}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Charts({
  kind,
  told,
  stale,
  onZoom,
}: {
  readonly kind: string;
  readonly told: Told;
  /** These are still the figures of the range before. */
  readonly stale: boolean;
  readonly onZoom: (span: Span) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const span = useMemo(() => ({ from: Date.parse(told.from), to: Date.parse(told.to) }), [told]);
  const at = useMemo(() => {
    const steps: number[] = [];
    for (let one = span.from; one <= span.to; one += told.stepMs) steps.push(one);
    return steps;
  }, [span, told]);
  const times = useTimes(span);
  const common = useMemo(() => commonTo(told.signals), [told]);
  return (
    <>
      {common !== null && (
        <div className="px-3 pt-3" role="status">
          <Status tone={signalTone[common.state]} size={16}>
            {common.problem === null
              ? t(`signals.state.${common.state}`, { window: say.duration(told.windowMs) })
              : `${t("systems.prometheus")}: ${say.key("problems", common.problem.problem, common.problem.params)}`}
          </Status>
          {common.state === "noData" && <p className="text-mute">{t("signals.nothing")}</p>}
        </div>
      )}
      <p className="px-3 pt-2 text-xs text-mute">
        {t("signals.shown", {
          from: times.exactly(span.from),
          to: times.exactly(span.to),
          step: say.duration(told.stepMs),
          window: say.duration(told.windowMs),
        })}{" "}
        {t("signals.drag")}
      </p>
      <div className={`grid lg:grid-cols-2 ${stale ? "opacity-60" : ""}`} aria-busy={stale}>
        {told.signals.map((signal) => (
          <SignalChart
            key={signal.key}
            kind={kind}
            signal={signal}
            at={at}
            span={span}
            stepMs={told.stepMs}
            windowMs={told.windowMs}
            marks={told.marks}
            saidAbove={
              common !== null &&
              common.state === signal.state &&
              common.problem?.problem === signal.problem?.problem
            }
            onZoom={onZoom}
          />
        ))}
      </div>
      <Changes told={told} />
    </>
  );
}

export function Signals({ kind, name }: { readonly kind: string; readonly name: string }) {
  const t = useTranslations();
  const say = useSay();
  const pathname = usePathname();
  const params = useSearchParams();
  const shown = useMemo(() => shownOf(new URLSearchParams(params)), [params]);
  const before = useRef<Shown[]>([]);
  const [backs, setBacks] = useState(0);
  const { ref, width } = useWidth();
  const length = typeof shown === "string" ? presets[shown] : shown.to - shown.from;
  const now = useNow(Math.max(tickMs, Math.round(length / mostTicks / tickMs) * tickMs));
  // Two charts beside each other where there is room: half a chart's pixels are its points.
  const chart = width >= 900 ? width / 2 : width;
  const points = Math.min(300, Math.max(60, Math.round(chart / 2)));
  const { from, to } = spanOf(shown, now);
  const fault = rangeFault({ from, to }, now + tickMs);
  const asked = useQuery({
    ...query.health.signals.queryOptions({
      input: { kind, name, from: new Date(from).toISOString(), to: new Date(to).toISOString(), points },
    }),
    enabled: width > 0 && fault === null,
    placeholderData: keepPreviousData,
    // Each tick asks for a range of its own: the old ones are not kept long.
    gcTime: 60_000,
    retry: false,
  });
  const go = useCallback(
    (next: Shown) => {
      const text = withShown(new URLSearchParams(params), next);
      // Nothing of the page comes from the server for it: Next follows the address, and asks nobody.
      window.history.pushState(null, "", text === "" ? pathname : `${pathname}?${text}`);
    },
    [params, pathname],
  );
  const show = useCallback(
    (next: Shown) => {
      before.current = [...before.current, shown].slice(-20);
      setBacks(before.current.length);
      go(next);
    },
    [go, shown],
  );
  const back = () => {
    const last = before.current.pop();
    setBacks(before.current.length);
    if (last !== undefined) go(last);
  };
  // What was shown stays when Sluice does not answer; the failure stands above it.
  const [kept, setKept] = useState<Told | undefined>(undefined);
  useEffect(() => {
    if (asked.data !== undefined) setKept(asked.data);
  }, [asked.data]);
  const told = asked.data ?? kept;
  const refused = fault === null ? null : say.key("problems", fault.problem, fault.params);
  const unread = isUnreadable(new URLSearchParams(params)) ? t("signals.unreadable") : null;
  // A kind that nobody measures has no place for it.
  if (told?.source === "unknown" && told.links.dashboard === null) return null;
  return (
    <section className="card mb-4 min-w-0" aria-labelledby="signals">
      <div className="card-head flex flex-wrap items-center gap-x-3">
        <h2 id="signals">{t("signals.title")}</h2>
        {told?.links.dashboard != null && (
          <a className="btn ml-auto" href={told.links.dashboard} target="_blank" rel="noreferrer">
            {t("signals.openDashboard")}
          </a>
        )}
      </div>
      {(told === undefined || told.source === "prometheus") && (
        <RangeBar shown={shown} onShow={show} onBack={backs > 0 ? back : null} problem={refused ?? unread} />
      )}
      <div ref={ref} className="min-w-0">
        {asked.error && refused === null && (
          <Failure error={asked.error} onRetry={() => void asked.refetch()} />
        )}
        {told === undefined ? (
          asked.error === null && refused === null && <Skeleton rows={8} />
        ) : told.source === "prometheus" ? (
          refused === null && (
            <Charts
              kind={kind}
              told={told}
              stale={asked.isPlaceholderData || asked.data === undefined}
              onZoom={show}
            />
          )
        ) : (
          <NoCharts kind={kind} name={name} source={told.source} />
        )}
      </div>
    </section>
  );
}
