"use client";
// What a service used, as four charts on one time line; the same figures as a table for those who do not see them.
import { useTranslations } from "next-intl";
import { useState } from "react";
import {
  Area,
  AreaChart,
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import type { UsageHistory } from "@/lib/services/contract";

type Point = { readonly at: number; readonly one: number | null; readonly two: number | null };

function Chart({
  title,
  points,
  names,
  say: write,
  limit = null,
}: {
  readonly title: string;
  readonly points: readonly Point[];
  readonly names: readonly [string, string?];
  readonly say: (value: number) => string;
  readonly limit?: number | null;
}) {
  const say = useSay();
  const latest = points.at(-1);
  const highest = Math.max(...points.map(({ one, two }) => Math.max(one ?? 0, two ?? 0)), 0);
  // A limit far above would press the line flat; it is drawn once the line comes near it.
  const showLimit = limit !== null && highest > limit * 0.4;
  const long = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0) > 86_400_000;
  const exactly = (at: number) => (long ? say.time : say.clock)(new Date(at).toISOString());
  const time = (at: number) => (long ? say.date(new Date(at).toISOString()) : exactly(at).slice(0, 5));
  return (
    <figure className="min-w-0 p-3">
      <figcaption className="flex items-baseline gap-2">
        <span className="text-mute">{title}</span>
        <b className="num ml-auto font-semibold">
          {latest?.one == null ? "–" : write(latest.one)}
          {names[1] !== undefined && latest?.two != null && ` · ${write(latest.two)}`}
        </b>
      </figcaption>
      <div className="mt-1 h-28" aria-hidden="true">
        <ResponsiveContainer width="100%" height="100%">
          <AreaChart
            data={points as Point[]}
            margin={{ top: 4, right: 0, bottom: 0, left: 0 }}
            syncId="usage"
            accessibilityLayer={false}
          >
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis
              dataKey="at"
              type="number"
              domain={["dataMin", "dataMax"]}
              tickFormatter={time}
              tick={{ fill: "var(--mute)", fontSize: 11 }}
              tickLine={false}
              axisLine={{ stroke: "var(--line)" }}
              minTickGap={48}
            />
            <YAxis
              width={56}
              tickFormatter={write}
              tick={{ fill: "var(--mute)", fontSize: 11 }}
              tickLine={false}
              axisLine={false}
              domain={[0, showLimit ? Math.max(limit, highest) : "auto"]}
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
              labelFormatter={(at) => exactly(Number(at))}
              formatter={(value, name) => [write(Number(value)), String(name)]}
            />
            {showLimit && <ReferenceLine y={limit} stroke="var(--warn)" strokeDasharray="4 3" />}
            <Area
              dataKey="one"
              name={names[0]}
              stroke="var(--deep)"
              fill="var(--water2)"
              fillOpacity={0.5}
              isAnimationActive={false}
              connectNulls={false}
            />
            {names[1] !== undefined && (
              <Area
                dataKey="two"
                name={names[1]}
                stroke="var(--up)"
                fill="none"
                isAnimationActive={false}
                connectNulls={false}
              />
            )}
          </AreaChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}

export function UsageCharts({
  usage,
  none,
}: {
  readonly usage: UsageHistory;
  /** What to say where nothing is known. */
  readonly none: string;
}) {
  const t = useTranslations();
  const say = useSay();
  const [table, setTable] = useState(false);
  const points = (one: readonly (number | null)[], two?: readonly (number | null)[]): Point[] =>
    usage.at.map((at, index) => ({ at, one: one[index] ?? null, two: two?.[index] ?? null }));
  const cores = (value: number) => say.percent(value, value < 0.1 ? 1 : 0);
  const perSecond = (value: number) => `${say.bytes(value)}/s`;
  const cell = (value: number | null | undefined, write: (value: number) => string) =>
    value == null ? "–" : write(value);
  if (usage.at.length < 2) return <p className="p-3 text-mute">{none}</p>;
  return (
    <>
      {table ? (
        <Scroll label={t("services.usage")} className="max-h-96 overflow-y-auto">
          <table className="table num">
            <thead>
              <tr>
                {["time", "cpu", "memory", "received", "sent", "read", "written"].map((name) => (
                  <th key={name}>{t(`services.usageOf.${name}`)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {usage.at
                .map((at, index) => (
                  <tr key={at}>
                    <td>
                      {usage.stepMs < 60_000
                        ? say.clock(new Date(at).toISOString()).slice(0, 8)
                        : say.time(new Date(at).toISOString())}
                    </td>
                    <td>{cell(usage.cpu[index], cores)}</td>
                    <td>{cell(usage.memory[index], say.bytes)}</td>
                    <td>{cell(usage.rx[index], perSecond)}</td>
                    <td>{cell(usage.tx[index], perSecond)}</td>
                    <td>{cell(usage.read[index], perSecond)}</td>
                    <td>{cell(usage.written[index], perSecond)}</td>
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </Scroll>
      ) : (
        <div className="grid sm:grid-cols-2">
          <Chart
            title={t("services.usageOf.cpu")}
            points={points(usage.cpu)}
            names={[t("services.usageOf.cpu")]}
            say={cores}
            limit={usage.cpuLimit}
          />
          <Chart
            title={t("services.usageOf.memory")}
            points={points(usage.memory)}
            names={[t("services.usageOf.memory")]}
            say={say.bytes}
            limit={usage.memoryLimit}
          />
          <Chart
            title={t("services.usageOf.network")}
            points={points(usage.rx, usage.tx)}
            names={[t("services.usageOf.received"), t("services.usageOf.sent")]}
            say={perSecond}
          />
          <Chart
            title={t("services.usageOf.disk")}
            points={points(usage.read, usage.written)}
            names={[t("services.usageOf.read"), t("services.usageOf.written")]}
            say={perSecond}
          />
        </div>
      )}
      <button
        type="button"
        className="btn btn-quiet m-2"
        aria-pressed={table}
        onClick={() => setTable(!table)}
      >
        {table ? t("services.asCharts") : t("services.asTable")}
      </button>
    </>
  );
}
