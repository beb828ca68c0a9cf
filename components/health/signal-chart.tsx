"use client";
// One signal over the range: its latest figure and its state in words, the chart (dragging over it looks closer), and a table of it.
import { useTranslations } from "next-intl";
import { type PointerEvent, useState } from "react";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status } from "@/components/ui/status";
import type { Mark, Signal } from "@/lib/health/contract";
import { Plot, plotLeft, plotRight, styleOf } from "./plot";
import { type Span, selected } from "./shown-range";
import { signalTone, useFigure, useTimes } from "./words";

/** Of the unusual, the last ones are said; all are drawn. */
const mostSaid = 3;

/** The query, with the place that Prometheus stumbled over. */
function Query({ promql, column }: { readonly promql: string; readonly column: number | null }) {
  const at = column === null ? promql.length : column - 1;
  return (
    <code className="mt-1 block whitespace-pre-wrap break-all">
      {promql.slice(0, at)}
      {column !== null && (
        <mark className="rounded-sm bg-down-ink px-0.5 text-pane">{promql[at] ?? "\u00a0"}</mark>
      )}
      {promql.slice(at + 1)}
    </code>
  );
}

/** Nothing of it is made before somebody opens it. */
function Table({
  signal,
  title,
  at,
}: {
  readonly signal: Signal;
  readonly title: string;
  readonly at: readonly number[];
}) {
  const t = useTranslations();
  const say = useSay();
  const figure = useFigure();
  const [open, setOpen] = useState(false);
  const write = (value: number | null | undefined) => (value == null ? "–" : figure(signal.unit, value));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="tap text-mute">{t("overview.table")}</summary>
      {open && (
        <Scroll label={title} className="max-h-80 overflow-y-auto">
          <table className="table num">
            <thead>
              <tr>
                <th scope="col">{t("signals.time")}</th>
                {signal.series.map(({ name }) => (
                  <th key={name ?? ""} scope="col">
                    {name ?? t("signals.value")}
                  </th>
                ))}
                {signal.usual !== null && <th scope="col">{t("signals.usual")}</th>}
              </tr>
            </thead>
            <tbody>
              {at
                .map((one, index) => (
                  <tr key={one}>
                    <td>{say.time(new Date(one).toISOString())}</td>
                    {signal.series.map(({ name, points }) => (
                      <td key={name ?? ""}>{write(points[index])}</td>
                    ))}
                    {signal.usual !== null && (
                      <td>
                        {write(signal.usual.low[index])} – {write(signal.usual.high[index])}
                      </td>
                    )}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  );
}

/** The chart, and what is dragged over on it: that is drawn beside it, so that the chart itself stays as it is. */
function Area({
  signal,
  at,
  span,
  stepMs,
  marks,
  onZoom,
}: {
  readonly signal: Signal;
  readonly at: readonly number[];
  readonly span: Span;
  readonly stepMs: number;
  readonly marks: readonly Mark[];
  readonly onZoom: (span: Span) => void;
}) {
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  /** Pixels from the left, within the plot, and the plot's width. */
  const placeOf = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const width = Math.max(1, box.width - plotLeft - plotRight);
    return { x: Math.min(width, Math.max(0, event.clientX - box.left - plotLeft)), width };
  };
  return (
    <div
      // Up and down still scrolls the page.
      className="relative mt-1 h-40 cursor-crosshair select-none [touch-action:pan-y] [&_*:focus]:outline-none"
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as Element).closest("a")) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const { x } = placeOf(event);
        setDrag({ from: x, to: x });
      }}
      onPointerMove={(event) => {
        if (drag !== null) setDrag({ from: drag.from, to: placeOf(event).x });
      }}
      onPointerCancel={() => setDrag(null)}
      onPointerUp={(event) => {
        if (drag === null) return;
        const { x, width } = placeOf(event);
        setDrag(null);
        const timeOf = (pixels: number) => span.from + (pixels / width) * (span.to - span.from);
        const zoom = selected(timeOf(drag.from), timeOf(x), stepMs, Date.now());
        // A hand that trembles on a click selects nothing.
        if (zoom !== null && Math.abs(x - drag.from) > 4) onZoom(zoom);
      }}
    >
      <Plot signal={signal} at={at} span={span} marks={marks} />
      {drag !== null && (
        <span
          className="pointer-events-none absolute inset-y-0 border-x border-deep bg-water opacity-30"
          style={{
            left: plotLeft + Math.min(drag.from, drag.to),
            width: Math.abs(drag.to - drag.from),
          }}
        />
      )}
    </div>
  );
}

export function SignalChart({
  kind,
  signal,
  at,
  span,
  stepMs,
  windowMs,
  marks,
  saidAbove,
  onZoom,
}: {
  readonly kind: string;
  readonly signal: Signal;
  readonly at: readonly number[];
  readonly span: Span;
  readonly stepMs: number;
  readonly windowMs: number;
  readonly marks: readonly Mark[];
  /** Its state is every chart's, and stands above them. */
  readonly saidAbove: boolean;
  readonly onZoom: (span: Span) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const figure = useFigure();
  const times = useTimes(span);
  const title = say.key(`signals.of.${kind}`, signal.key);
  const { state, problem, series, usual } = signal;
  const latest = series.map(({ points }) => points.at(-1) ?? null);
  const drawn = series.some(({ points }) => points.some((one) => one !== null));
  const column = Number(problem?.params.column);
  return (
    <figure className="min-w-0 border-b border-line p-3">
      <figcaption className="flex flex-wrap items-baseline gap-x-3">
        <h3 className="text-mute">{title}</h3>
        {series.length === 1 && (
          <b className="num text-base font-semibold">
            {latest[0] == null ? "–" : figure(signal.unit, latest[0])}
          </b>
        )}
        {signal.explore !== null && (
          <a
            className="tap link ml-auto text-xs text-mute"
            href={signal.explore}
            target="_blank"
            rel="noreferrer"
            aria-label={t("signals.exploreOf", { signal: title })}
          >
            {t("signals.explore")}
          </a>
        )}
      </figcaption>
      {!saidAbove && (state !== "ok" || usual !== null) && (
        <Status tone={signalTone[state]}>
          {problem === null
            ? t(`signals.state.${state}`, { window: say.duration(windowMs) })
            : say.key("problems", problem.problem, problem.params)}
        </Status>
      )}
      {!saidAbove && problem !== null && (
        <Query promql={signal.promql} column={Number.isNaN(column) ? null : column} />
      )}
      {usual?.unusual.slice(-mostSaid).map(({ from, to, direction }) => (
        <p key={from} className="text-mute">
          {t(`signals.unusual.${direction}`, {
            from: times.exactly(Date.parse(from)),
            to: times.exactly(Date.parse(to)),
          })}
        </p>
      ))}
      {drawn && (
        <>
          <Area signal={signal} at={at} span={span} stepMs={stepMs} marks={marks} onZoom={onZoom} />
          {series.some(({ name }) => name !== null) && (
            <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs">
              {series.map(({ name }, line) => (
                <li key={name ?? ""} className="inline-flex min-w-0 items-center gap-1.5">
                  <svg aria-hidden="true" width="22" height="4" className="shrink-0">
                    <path
                      d="M0 2H22"
                      stroke={styleOf(line).color}
                      strokeDasharray={styleOf(line).dash}
                      strokeWidth="2"
                    />
                  </svg>
                  <span className="min-w-0">{name}</span>
                  <b className="num font-semibold">
                    {latest[line] == null ? "–" : figure(signal.unit, latest[line])}
                  </b>
                </li>
              ))}
            </ul>
          )}
          {signal.more > 0 && (
            <p className="text-xs text-mute">{t("signals.more", { count: signal.more })}</p>
          )}
          <Table signal={signal} title={title} at={at} />
        </>
      )}
    </figure>
  );
}
