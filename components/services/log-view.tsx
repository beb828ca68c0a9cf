"use client";
// Lines of a log: only what is seen is drawn; follows the end until somebody scrolls up.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useTranslations } from "next-intl";
import { memo, useEffect, useRef, useState } from "react";
import { useSay } from "@/components/ui/say";
import { StatusShape, type Tone } from "@/components/ui/status";
import type { LogLevel } from "@/lib/services/logs/contract";
import { type Colour, piecesOf } from "./ansi";
import type { BufferedLine } from "./log-buffer";

const levelTone: Partial<Record<LogLevel, Tone>> = { warn: "warn", error: "down", fatal: "down" };
const colourClass: Record<Colour, string> = {
  black: "text-mute",
  red: "text-down-ink",
  green: "text-up-ink",
  yellow: "text-warn-ink",
  blue: "text-run-ink",
  magenta: "text-run-ink",
  cyan: "text-deep",
  white: "text-ink",
};

const Line = memo(function Line({
  line,
  name,
  wrap,
}: {
  readonly line: BufferedLine;
  readonly name: string | null;
  readonly wrap: boolean;
}) {
  const t = useTranslations();
  const say = useSay();
  const [open, setOpen] = useState(false);
  const tone = line.level === null ? undefined : levelTone[line.level];
  const json = line.text.startsWith("{") && line.text.endsWith("}");
  return (
    <div className={`px-3 py-px font-mono text-xs ${tone === "down" ? "bg-down/8" : ""}`}>
      {line.dropped > 0 && (
        <p className="my-1 font-sans text-warn-ink">{t("services.droppedHere", { count: line.dropped })}</p>
      )}
      <div className="flex items-baseline gap-x-2 max-sm:flex-wrap">
        <time dateTime={line.at} title={line.at} className="num shrink-0 text-faint">
          {line.at === "" ? "" : say.clock(line.at)}
        </time>
        {name !== null && <span className="w-28 shrink-0 truncate text-mute">{name}</span>}
        <span className="w-3.5 shrink-0 self-start pt-1">
          {tone !== undefined && <StatusShape tone={tone} size={12} />}
          {line.level !== null && <span className="sr-only">{line.level}</span>}
        </span>
        <span
          className={`min-w-0 max-sm:basis-full ${wrap || open ? "break-all whitespace-pre-wrap" : "whitespace-pre"} ${line.stream === "stderr" && tone === undefined ? "text-mute" : ""}`}
        >
          {piecesOf(line.text).map((piece, index) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
              key={index}
              className={`${piece.colour === null ? "" : colourClass[piece.colour]} ${piece.bold ? "font-bold" : ""} ${piece.dim ? "opacity-70" : ""}`}
            >
              {piece.text}
            </span>
          ))}
          {line.cut > 0 && (
            <span className="text-warn-ink"> {t("services.cut", { size: say.bytes(line.cut) })}</span>
          )}
          {json && (
            <button
              type="button"
              className="link ml-2 font-sans text-mute"
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              {open ? t("services.jsonClose") : t("services.jsonOpen")}
            </button>
          )}
          {open && <Fields text={line.text} />}
        </span>
      </div>
    </div>
  );
});

function Fields({ text }: { readonly text: string }) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It only looked like JSON.
  }
  return <pre className="mt-1 rounded border border-line bg-bg p-2 whitespace-pre-wrap">{shown}</pre>;
}

export function LogView({
  lines,
  names,
  wrap,
  follow,
  onFollow,
  label,
}: {
  readonly lines: readonly BufferedLine[];
  /** Names of the containers, where there are several. */
  readonly names: readonly string[];
  readonly wrap: boolean;
  /** Whether the newest line stays in view. */
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly label: string;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 19,
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: 30,
  });
  const last = lines.at(-1)?.key;
  useEffect(() => {
    if (follow && last !== undefined) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follow, last, lines.length, virtual]);
  return (
    <section
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is moved by the arrow keys once it has the focus
      tabIndex={0}
      aria-label={label}
      className="min-h-0 flex-1 overflow-auto py-1"
      onWheel={(event) => {
        if (event.deltaY < 0 && follow) onFollow(false);
      }}
      onTouchMove={() => {
        if (follow) onFollow(false);
      }}
      onKeyDown={(event) => {
        if (["ArrowUp", "PageUp", "Home"].includes(event.key) && follow) onFollow(false);
        if (event.key === "End") onFollow(true);
      }}
    >
      <div
        className={`relative ${wrap ? "" : "w-max min-w-full"}`}
        style={{ height: virtual.getTotalSize() }}
      >
        <div
          className="absolute inset-x-0 top-0"
          style={{ transform: `translateY(${virtual.getVirtualItems()[0]?.start ?? 0}px)` }}
        >
          {virtual.getVirtualItems().map(({ index, key }) => {
            const line = lines[index];
            return line === undefined ? null : (
              <div key={key} data-index={index} ref={virtual.measureElement}>
                <Line line={line} name={names.length > 1 ? (names[line.from] ?? "") : null} wrap={wrap} />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
