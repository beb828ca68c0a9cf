"use client";
// Says that a draft of this browser is shown, and can take it away.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";

export function DraftBack({
  at,
  onDiscard,
}: {
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly onDiscard: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <p className="card mb-3 flex flex-wrap items-center gap-x-3 p-3" role="status">
      {t("editor.draftBack", { time: say.time(at) })}
      <button type="button" className="btn ml-auto" onClick={onDiscard}>
        {t("editor.discardDraft")}
      </button>
    </p>
  );
}
