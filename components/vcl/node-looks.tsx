"use client";
// The last looks of a backend's probe as a row of bars: a good one is tall, a bad one low, and none is a dot.
import { useTranslations } from "next-intl";
import type { NodeFacts } from "@/lib/vcl/facts/contract";

type Backend = Extract<NodeFacts["backends"], { state: "ok" }>["data"][number];

const step = 3;
const height = 18;
const shapes = {
  good: { tall: height, fill: "var(--up)" },
  bad: { tall: 7, fill: "var(--down)" },
  none: { tall: 2, fill: "var(--line)" },
} as const;

export function Looks({ looks }: Pick<Backend, "looks">) {
  const t = useTranslations();
  const told = looks.filter((look) => look !== "none");
  const newest = looks.at(-1) === "good" ? "good" : "bad";
  // Of the run that lasts now: how many looks alike there were.
  const change = told.findLastIndex((look) => look !== newest);
  const words = t("vcl.node.looks", {
    good: told.filter((look) => look === "good").length,
    all: told.length,
    newest,
    run: told.length - 1 - change,
  });
  return (
    <svg
      role="img"
      aria-label={words}
      width={looks.length * step}
      height={height}
      viewBox={`0 0 ${looks.length * step} ${height}`}
      className="block max-w-full"
    >
      <title>{words}</title>
      {looks.map((look, index) => {
        const { tall, fill } = shapes[look];
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a look has nothing but its place
            key={index}
            x={index * step}
            y={height - tall}
            width={step - 1}
            height={tall}
            rx={0.5}
            fill={fill}
          />
        );
      })}
    </svg>
  );
}
