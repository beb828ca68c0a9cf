// Status, always as shape + word + colour. Unknown is never green.
import type { ReactNode } from "react";

export type Tone = "up" | "warn" | "down" | "unknown" | "run";

const toneClass: Record<Tone, { shape: string; word: string }> = {
  up: { shape: "text-up", word: "text-up-ink" },
  warn: { shape: "text-warn", word: "text-warn-ink" },
  down: { shape: "text-down", word: "text-down-ink" },
  unknown: { shape: "text-faint", word: "text-mute" },
  run: { shape: "text-run", word: "text-run-ink" },
};

const drawing: Record<Tone, ReactNode> = {
  up: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" opacity=".18" />
      <path
        d="M4.500 8.300l2.300 2.300 4.700-5"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  warn: (
    <>
      <path
        d="M8 1.500l7 12.500H1z"
        fill="currentColor"
        fillOpacity=".22"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinejoin="round"
      />
      <path d="M8 6v3.600M8 11.600v.400" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
  down: (
    <>
      <path d="M5.200 1h5.600L15 5.200v5.600L10.800 15H5.200L1 10.800V5.200z" fill="currentColor" />
      <path d="M5.500 5.500l5 5m0-5l-5 5" stroke="var(--pane)" strokeWidth="1.8" strokeLinecap="round" />
    </>
  ),
  unknown: (
    <circle
      cx="8"
      cy="8"
      r="6.500"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeDasharray="3 2.400"
    />
  ),
  run: (
    <circle
      className="turning"
      cx="8"
      cy="8"
      r="6.200"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeDasharray="26 14"
      strokeLinecap="round"
    />
  ),
};

/** The bare shape; only beside a word that says the same. */
export function StatusShape({ tone, size = 14 }: { readonly tone: Tone; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      className={`shrink-0 ${toneClass[tone].shape}`}
    >
      {drawing[tone]}
    </svg>
  );
}

/** Shape, word and colour together. */
export function Status({
  tone,
  children,
  size = 14,
}: {
  readonly tone: Tone;
  readonly children: ReactNode;
  readonly size?: number;
}) {
  return (
    <span
      className={`inline-flex items-baseline gap-1.5 [&>svg]:self-center ${toneClass[tone].word}`}
      data-tone={tone}
    >
      <StatusShape tone={tone} size={size} />
      <span>{children}</span>
    </span>
  );
}
