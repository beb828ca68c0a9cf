"use client";
// The drawing of one signal; it is drawn anew only when its figures are others.
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { memo } from "react";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Line,
  ReferenceArea,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import type { Mark, Signal } from "@/lib/health/contract";
import type { Span } from "./shown-range";
import { useFigure, useMarkTitle, useTimes } from "./words";

/** The plot's edges within the drawing, in pixels: where on it a time is. */
export const plotLeft = 58;
export const plotRight = 6;
const plotTop = 16;

/** Lines are told apart by their dashes too. */
const styles = [
  { color: "var(--deep)", dash: "none" },
  { color: "var(--up)", dash: "7 3" },
  { color: "var(--run)", dash: "2 2" },
  { color: "var(--warn)", dash: "9 3 2 3" },
  { color: "var(--mute)", dash: "4 4" },
] as const;
export const styleOf = (index: number) => styles[index % styles.length] ?? styles[0];

/** A change on the line of time. Out of the way of the keyboard: the list below the charts has the same links. */
function Sign({
  mark,
  viewBox,
}: {
  readonly mark: Mark;
  readonly viewBox: { readonly x?: number; readonly y?: number };
}) {
  const router = useRouter();
  const title = useMarkTitle();
  const { x = 0, y = 0 } = viewBox;
  const address = `/history/${mark.id}`;
  const color = mark.failed ? "var(--down)" : mark.own ? "var(--deep)" : "var(--mute)";
  return (
    <a
      href={address}
      tabIndex={-1}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        router.push(address);
      }}
    >
      <title>{title(mark)}</title>
      <rect x={x - 9} y={y - plotTop} width={18} height={plotTop + 6} fill="transparent" />
      {mark.kind.startsWith("purge") ? (
        <circle cx={x} cy={y - 6} r={3.5} fill="var(--pane)" stroke={color} strokeWidth={1.6} />
      ) : (
        <path d={`M${x - 5} ${y - 10}h10L${x} ${y - 1}z`} fill={color} />
      )}
    </a>
  );
}

/** The axis's upper end: a whole for a share that is most of it, something for nothing, else what fits. */
function topOf({ unit, series, usual }: Signal): number | "auto" {
  const known = [...series.flatMap(({ points }) => points), ...(usual?.high ?? [])].map((one) => one ?? 0);
  const highest = known.reduce((most, one) => Math.max(most, one), 0);
  if (highest === 0) return unit === "share" ? 0.01 : 1;
  return unit === "share" && highest > 0.5 && highest <= 1 ? 1 : "auto";
}

type Row = { readonly at: number } & Readonly<Record<string, number | readonly [number, number] | null>>;

export const Plot = memo(function Plot({
  signal,
  at,
  span,
  marks,
}: {
  readonly signal: Signal;
  readonly at: readonly number[];
  readonly span: Span;
  readonly marks: readonly Mark[];
}) {
  const t = useTranslations();
  const figure = useFigure();
  const times = useTimes(span);
  const write = (value: number) => figure(signal.unit, value);
  const { usual } = signal;
  const rows: Row[] = at.map((one, index) => {
    const low = usual?.low[index] ?? null;
    const high = usual?.high[index] ?? null;
    return {
      at: one,
      band: low === null || high === null ? null : [low, high],
      ...Object.fromEntries(signal.series.map(({ points }, line) => [`line${line}`, points[index] ?? null])),
    };
  });
  return (
    <ResponsiveContainer width="100%" height="100%">
      <ComposedChart
        data={rows}
        margin={{ top: plotTop, right: plotRight, bottom: 0, left: 0 }}
        accessibilityLayer={false}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          type="number"
          domain={[span.from, span.to]}
          allowDataOverflow
          tickFormatter={times.tick}
          tick={{ fill: "var(--mute)", fontSize: 11 }}
          tickLine={false}
          axisLine={{ stroke: "var(--line)" }}
          minTickGap={48}
        />
        <YAxis
          width={plotLeft}
          tickFormatter={write}
          tick={{ fill: "var(--mute)", fontSize: 11 }}
          tickLine={false}
          axisLine={false}
          domain={[0, topOf(signal)]}
          allowDecimals={signal.unit !== "count"}
          tickCount={3}
        />
        <Tooltip
          isAnimationActive={false}
          contentStyle={{
            background: "var(--pane)",
            border: "1px solid var(--line)",
            borderRadius: 6,
            fontSize: 12,
          }}
          labelFormatter={(label) => times.exactly(Number(label))}
          formatter={(value, name) => [
            Array.isArray(value) ? value.map((one) => write(Number(one))).join(" – ") : write(Number(value)),
            String(name),
          ]}
        />
        {usual !== null && (
          <Area
            dataKey="band"
            name={t("signals.usualBand")}
            stroke="none"
            fill="var(--water2)"
            fillOpacity={0.55}
            activeDot={false}
            isAnimationActive={false}
            connectNulls={false}
          />
        )}
        {usual?.unusual.map(({ from, to }) => (
          <ReferenceArea
            key={from}
            x1={Math.max(Date.parse(from), span.from)}
            x2={Math.min(Date.parse(to), span.to)}
            fill="var(--warn)"
            fillOpacity={0.22}
            ifOverflow="hidden"
          />
        ))}
        {marks.map((mark) => (
          <ReferenceLine
            key={mark.id}
            x={Date.parse(mark.at)}
            stroke={mark.failed ? "var(--down)" : mark.own ? "var(--deep)" : "var(--mute)"}
            strokeOpacity={mark.own || mark.failed ? 1 : 0.55}
            strokeDasharray="3 2"
            ifOverflow="hidden"
            label={({ viewBox }) => <Sign mark={mark} viewBox={viewBox as { x?: number; y?: number }} />}
          />
        ))}
        {signal.series.map(({ name }, line) => (
          <Line
            key={name ?? ""}
            dataKey={`line${line}`}
            name={name ?? t("signals.value")}
            stroke={styleOf(line).color}
            strokeDasharray={styleOf(line).dash}
            strokeWidth={1.7}
            dot={false}
            isAnimationActive={false}
            connectNulls={false}
          />
        ))}
      </ComposedChart>
    </ResponsiveContainer>
  );
});
