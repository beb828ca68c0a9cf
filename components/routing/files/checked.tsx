"use client";
// Whether a draft would be taken, in one line that is announced.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { FilesChecked } from "@/lib/routing/files/contract";

/** Traefik takes nothing of it: what it would change cannot be said. */
export const isRejected = ({ problems }: FilesChecked): boolean =>
  problems.some(({ effect }) => effect === "rejected");

export function Verdict({
  checked,
  checking,
}: {
  readonly checked: FilesChecked | undefined;
  readonly checking: boolean;
}) {
  const t = useTranslations();
  const say = useSay();
  const errors = checked?.problems.filter(({ severity }) => severity === "error") ?? [];
  const rejected = checked !== undefined && isRejected(checked);
  return (
    <p role="status" className="flex flex-wrap gap-x-4 gap-y-1">
      {checking && <Status tone="run">{t("routing.files.checking")}</Status>}
      {!checking && checked !== undefined && (
        <>
          <Status tone={errors.length > 0 ? "down" : checked.problems.length > 0 ? "warn" : "up"}>
            {rejected
              ? t("routing.files.verdict.rejected")
              : errors.length > 0
                ? t("routing.files.verdict.errors", { count: errors.length })
                : checked.problems.length > 0
                  ? t("routing.files.verdict.warnings", { count: checked.problems.length })
                  : t("routing.files.verdict.good")}
          </Status>
          {checked.problem !== null && (
            <Status tone="unknown">
              {t("routing.files.notCompared")}{" "}
              {say.key("problems", checked.problem.problem, checked.problem.params)}
            </Status>
          )}
        </>
      )}
    </p>
  );
}
