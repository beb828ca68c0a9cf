"use client";
// One figure over the last hour as a small area, with the changes as marks on it.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";

const width = 240;
const height = 56;

export type Mark = { readonly at: number; readonly title: string; readonly bad: boolean };

/** `values` end at `end` (ms), `stepMs` apart; null is a gap. */
export function Course({
  title,
  values,
  stepMs,
  end,
  say: write,
  top,
  marks,
}: {
  readonly title: string;
  readonly values: readonly (number | null)[];
  readonly stepMs: number;
  readonly end: number;
  readonly say: (value: number) => string;
  /** The height of the axis at least. */
  readonly top: number;
  readonly marks: readonly Mark[];
}) {
  const t = useTranslations();
  const say = useSay();
  const latest = values.findLast((one) => one !== null) ?? null;
  const highest = Math.max(top, ...values.map((one) => one ?? 0));
  const start = end - stepMs * Math.max(1, values.length - 1);
  const xOf = (at: number) => ((at - start) / Math.max(1, end - start)) * width;
  const runs: { x: number; y: number }[][] = [];
  let open = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      open = false;
      continue;
    }
    const point = { x: xOf(start + index * stepMs), y: height - 2 - (value / highest) * (height - 6) };
    if (open) runs.at(-1)?.push(point);
    else runs.push([point]);
    open = true;
  }
  const line = (run: readonly { x: number; y: number }[]) =>
    run.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") +
    // A lone point is seen as a dot.
    (run.length === 1 ? "h.01" : "");
  const clock = (at: number) => say.clock(new Date(at).toISOString()).slice(0, 5);
  return (
    <figure className="min-w-0">
      <figcaption>
        <span className="block text-xs text-mute">{title}</span>
        <b className="num text-lg font-semibold">
          {latest === null ? t("overview.noFigures") : write(latest)}
        </b>
      </figcaption>
      <svg
        aria-hidden="true"
        viewBox={`0 0 ${width} ${height}`}
        className="mt-1 w-full"
        preserveAspectRatio="none"
      >
        <path d={`M0 ${height - 1}H${width}`} stroke="var(--line)" />
        {runs.map((run) => (
          <g key={run[0]?.x}>
            <path
              d={`${line(run)}V${height - 1}H${(run[0]?.x ?? 0).toFixed(1)}Z`}
              fill="var(--water2)"
              opacity=".6"
            />
            <path
              d={line(run)}
              fill="none"
              stroke="var(--deep)"
              strokeWidth="1.6"
              strokeLinecap="round"
              vectorEffect="non-scaling-stroke"
            />
          </g>
        ))}
        {marks
          .filter(({ at }) => at >= start && at <= end)
          .map(({ at, title: name, bad }) => (
            <g key={`${at} ${name}`}>
              <title>{name}</title>
              <path
                d={`M${xOf(at).toFixed(1)} 2V${height - 1}`}
                stroke={bad ? "var(--down)" : "var(--up)"}
                strokeDasharray="3 2"
                vectorEffect="non-scaling-stroke"
              />
            </g>
          ))}
      </svg>
      <p aria-hidden="true" className="num flex justify-between text-xs text-faint">
        <span>{clock(start)}</span>
        <span>{clock(end)}</span>
      </p>
    </figure>
  );
}
