"use client";
// A change's state and outcome as one sign: shape, word, colour.
import { useTranslations } from "next-intl";
import { Status, type Tone } from "@/components/ui/status";
import type { ChangeRow, ChangeState } from "@/lib/changes/contract";

const stateTone = {
  planned: "unknown",
  running: "run",
  verifying: "run",
  done: "up",
  failed: "down",
  cancelled: "unknown",
  undone: "unknown",
  interrupted: "warn",
} satisfies Record<ChangeState, Tone>;

/** The sign's tone and the key of its word. */
export function outcomeOf(row: Pick<ChangeRow, "state" | "outcome">): {
  readonly tone: Tone;
  readonly word: string;
} {
  if (row.state === "done" && row.outcome === "unknown") return { tone: "unknown", word: "outcomes.unknown" };
  if (row.state === "done" && row.outcome === "fresh") return { tone: "up", word: "outcomes.fresh" };
  if (row.outcome === "stale" && (row.state === "done" || row.state === "failed"))
    return { tone: "down", word: "outcomes.stale" };
  if (row.outcome === "rolledBack") return { tone: "warn", word: "outcomes.rolledBack" };
  if (row.state === "failed" && row.outcome === "unknown") return { tone: "warn", word: "outcomes.unknown" };
  return { tone: stateTone[row.state], word: `states.${row.state}` };
}

export function Outcome({ row }: { readonly row: Pick<ChangeRow, "state" | "outcome"> }) {
  const t = useTranslations();
  const { tone, word } = outcomeOf(row);
  return <Status tone={tone}>{t(word)}</Status>;
}
