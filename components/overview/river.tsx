"use client";
// The river: the requests flow from the visitors through each gate to the stores; what a cache serves falls away under it.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useId, useMemo } from "react";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status, StatusShape } from "@/components/ui/status";
import type { Component, Gate, HealthState, River as RiverData } from "@/lib/health/contract";
import { gateWidth, layoutOf, width } from "./layout";
import { healthAddress, stateTone } from "./words";

type States = ReadonlyMap<string, Component>;
const stateIn = (states: States, key: string): HealthState => states.get(key)?.state ?? "unknown";

/** "27/s", "0.4/s"; nothing where nobody tells. */
function useRate() {
  const t = useTranslations();
  const say = useSay();
  return (value: number | null) =>
    value === null ? null : t("overview.perSecond", { value: say.number(value, value < 10 ? 1 : 0) });
}

/** What stands under a gate's name: how much, and how much of it a cache answered. */
function useFigures() {
  const t = useTranslations();
  const say = useSay();
  const rate = useRate();
  return (gate: Gate): string => {
    const cached =
      gate.absorbed !== null && gate.requests !== null && gate.requests > 0
        ? t("overview.cachedShare", { share: say.percent(gate.absorbed / gate.requests) })
        : null;
    const p95 = gate.p95 === null ? null : t("overview.p95", { time: say.duration(gate.p95) });
    return (
      [rate(gate.requests), cached, p95].filter((one) => one !== null).join(" · ") || t("overview.noFigures")
    );
  };
}

/** "as of 14:03", where the figures are some minutes old. */
function useAsOf() {
  const t = useTranslations();
  const say = useSay();
  return ({ asOf }: Gate): string | null =>
    asOf === null ? null : t("zone.asOf", { time: say.clock(asOf).slice(0, 5) });
}

function Drawing({ gates, states }: { readonly gates: readonly Gate[]; readonly states: States }) {
  const t = useTranslations();
  const say = useSay();
  const rate = useRate();
  const figures = useFigures();
  const asOf = useAsOf();
  const id = useId();
  const river = useMemo(() => layoutOf(gates), [gates]);
  return (
    <svg viewBox={`0 0 ${width} ${river.height}`} className="hidden w-full sm:block">
      <title>{t("overview.river")}</title>
      <defs>
        <linearGradient id={id} x1="0" x2="0" y1="0" y2="1">
          <stop offset="0" stopColor="var(--water)" />
          <stop offset="1" stopColor="var(--water2)" stopOpacity="0" />
        </linearGradient>
      </defs>
      <g>
        {river.threads.map(({ key, path }) => (
          <path
            key={key}
            d={path}
            fill="none"
            stroke="var(--faint)"
            strokeWidth="1.3"
            strokeDasharray="2 3"
          />
        ))}
        {river.falls.map(({ key, path }) => (
          <path key={key} d={path} fill={`url(#${id})`} className="flow" />
        ))}
        {river.bands.map(({ key, path, amount }) => (
          <path
            key={key}
            d={path}
            fill="var(--water)"
            opacity={amount === null ? 0.35 : 1}
            className="flow"
          />
        ))}
        {river.bands.map(({ key, errors }) =>
          errors === null ? null : <path key={key} d={errors} fill="var(--down)" className="flow" />,
        )}
        {river.falls.map(({ key, textX, textY, told, layer }) =>
          told === null ? null : (
            <g key={key}>
              <text x={textX} y={textY} className="fill-ink text-[12.5px] font-semibold">
                {t("overview.servedBy", {
                  share: say.percent(told.share),
                  layer: t(`overview.layers.${layer}`),
                })}
              </text>
              <text x={textX} y={textY + 16} className="num fill-mute text-[11.5px]">
                {rate(told.perSecond)}
              </text>
            </g>
          ),
        )}
        <text x={18} y={60} className="fill-ink text-[12.5px] font-semibold">
          {t("overview.visitors")}
        </text>
        <text x={18} y={76} className="num fill-mute text-[11.5px]">
          {rate(river.visitors) ?? t("overview.noFigures")}
        </text>
      </g>
      {river.gates.map(({ gate, x, boxY, boxHeight }) => {
        const state = stateIn(states, gate.key);
        const off = state === "down" || state === "warn" || state === "disagree";
        return (
          <Link key={gate.key} href={healthAddress(gate)} className="gate">
            <title>{`${gate.name}: ${t(`overview.states.${state}`)}, ${[figures(gate), asOf(gate)].filter(Boolean).join(", ")}`}</title>
            <rect
              x={x}
              y={boxY}
              width={gateWidth}
              height={boxHeight}
              rx={4}
              fill="var(--pane)"
              stroke={off ? `var(--${stateTone[state]})` : "var(--edge)"}
              strokeWidth={off ? 2 : 1.3}
            />
            <g transform={`translate(${x + 4} ${boxY + 4})`}>
              <StatusShape tone={stateTone[state]} size={14} />
            </g>
            <text
              x={x + gateWidth / 2}
              y={boxY - 24}
              textAnchor="middle"
              className="fill-ink text-[12.5px] font-semibold"
            >
              {gate.name}
            </text>
            <text
              x={x + gateWidth / 2}
              y={boxY - 9}
              textAnchor="middle"
              className="num fill-mute text-[11.5px]"
            >
              {off && state === "down" ? t(`overview.states.${state}`) : figures(gate)}
            </text>
          </Link>
        );
      })}
      {river.stores.map(({ gate, x, y }) => {
        const state = stateIn(states, gate.key);
        return (
          <Link key={gate.key} href={healthAddress(gate)} className="gate">
            <title>{`${gate.name}: ${t(`overview.states.${state}`)}, ${figures(gate)}`}</title>
            <circle
              cx={x}
              cy={y}
              r={11}
              fill="var(--pane)"
              stroke={state === "down" ? "var(--down)" : "var(--edge)"}
              strokeWidth={state === "down" ? 2 : 1.3}
            />
            <g transform={`translate(${x - 7} ${y - 7})`}>
              <StatusShape tone={stateTone[state]} size={14} />
            </g>
            <text x={x + 18} y={y - 1} className="fill-ink text-[12.5px] font-semibold">
              {gate.name}
            </text>
            <text x={x + 18} y={y + 14} className="num fill-mute text-[11.5px]">
              {/* No room for more: the table has it. */}
              {state === "down"
                ? t("overview.states.down")
                : (rate(gate.requests) ?? t("overview.noFigures"))}
            </text>
          </Link>
        );
      })}
    </svg>
  );
}

/** The same gates as a list with bars: on a phone, where the drawing has no room. */
function Bars({ gates, states }: { readonly gates: readonly Gate[]; readonly states: States }) {
  const t = useTranslations();
  const figures = useFigures();
  const asOf = useAsOf();
  const most = Math.max(
    ...gates.filter(({ layer }) => layer !== "store").map(({ requests }) => requests ?? 0),
    0,
  );
  return (
    <ul className="sm:hidden">
      {gates.map((gate) => {
        const state = stateIn(states, gate.key);
        const share = most === 0 || gate.layer === "store" ? 0 : (gate.requests ?? 0) / most;
        const cached = gate.requests ? (gate.absorbed ?? 0) / gate.requests : 0;
        return (
          <li key={gate.key} className="border-b border-line last:border-0">
            <Link href={healthAddress(gate)} className="block px-3 py-2.5">
              <span className="flex items-baseline gap-2">
                <Status tone={stateTone[state]}>
                  <b className="font-semibold text-ink">{gate.name}</b>{" "}
                  <span className={state === "up" ? "sr-only" : "ml-1.5"}>
                    {t(`overview.states.${state}`)}
                  </span>
                </Status>
                <span className="num ml-auto text-right text-mute">
                  {figures(gate)}
                  {gate.asOf !== null && <span className="block text-xs">{asOf(gate)}</span>}
                </span>
              </span>
              {share > 0 && (
                <span aria-hidden="true" className="mt-1.5 block h-2 rounded bg-wash">
                  <span
                    className="flex h-2 overflow-hidden rounded"
                    style={{ width: `${Math.max(2, share * 100)}%` }}
                  >
                    <span className="bg-water2" style={{ width: `${cached * 100}%` }} />
                    <span className="flex-1 bg-water" />
                  </span>
                </span>
              )}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

/** The same as a table, for those who do not see the drawing or want the figures side by side. */
function Table({ gates, states }: { readonly gates: readonly Gate[]; readonly states: States }) {
  const t = useTranslations();
  const say = useSay();
  const rate = useRate();
  const asOf = useAsOf();
  const columns = ["component", "state", "requests", "cached", "errors", "p95", "source"] as const;
  return (
    <details className="hidden border-t border-line sm:block">
      <summary className="tap px-3 py-2 text-mute">{t("overview.table")}</summary>
      <Scroll label={t("overview.table")}>
        <table className="w-full text-left">
          <thead className="text-xs text-mute">
            <tr>
              {columns.map((one) => (
                <th key={one} className="px-3 py-1 font-normal">
                  {t(`overview.columns.${one}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="num">
            {gates.map((gate) => {
              const state = stateIn(states, gate.key);
              return (
                <tr key={gate.key} className="border-t border-line">
                  <td className="px-3 py-1.5">
                    <Link className="link" href={healthAddress(gate)}>
                      {gate.name}
                    </Link>
                  </td>
                  <td className="px-3 py-1.5">
                    <Status tone={stateTone[state]}>{t(`overview.states.${state}`)}</Status>
                  </td>
                  <td className="px-3 py-1.5">{rate(gate.requests) ?? "–"}</td>
                  <td className="px-3 py-1.5">
                    {gate.absorbed === null || !gate.requests
                      ? "–"
                      : say.percent(gate.absorbed / gate.requests)}
                  </td>
                  <td className="px-3 py-1.5">{gate.errors === null ? "–" : say.percent(gate.errors, 2)}</td>
                  <td className="px-3 py-1.5">{gate.p95 === null ? "–" : say.duration(gate.p95)}</td>
                  <td className="px-3 py-1.5 text-mute">
                    {gate.source === null ? t("overview.noFigures") : t(`overview.sources.${gate.source}`)}
                    {gate.asOf !== null && `, ${asOf(gate)}`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

export function River({
  river,
  components,
}: {
  readonly river: RiverData;
  readonly components: readonly Component[];
}) {
  const t = useTranslations();
  const states = useMemo(() => new Map(components.map((one) => [one.key, one])), [components]);
  // From the visitors inwards, as the server has them.
  const { gates } = river;
  return (
    <section className="card overflow-hidden" aria-label={t("overview.river")}>
      {river.prometheusAway && (
        <p className="border-b border-line px-3 py-2">
          <Status tone="warn">{t("overview.prometheusAway")}</Status>
        </p>
      )}
      <Drawing gates={gates} states={states} />
      <Bars gates={gates} states={states} />
      <Table gates={gates} states={states} />
    </section>
  );
}
