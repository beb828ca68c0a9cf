"use client";
// What a list shows when it has nothing to show: not loaded yet, nothing there, or the call failed.
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { problemOf } from "./problem";
import { useSay } from "./say";
import { StatusShape } from "./status";

/** Bars of the final shape, for a first load only. */
export function Skeleton({ rows = 4 }: { readonly rows?: number }) {
  const t = useTranslations();
  return (
    <div role="status" aria-busy="true" className="grid gap-3 p-3">
      <span className="sr-only">{t("state.loading")}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
        <div key={row} className="skeleton h-4" style={{ width: `${92 - ((row * 23) % 40)}%` }} />
      ))}
    </div>
  );
}

/** A call failed: what, and the one act that may help. Data shown before stays where it was. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const t = useTranslations();
  const say = useSay();
  const problem = problemOf(error);
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-2 p-3">
      <StatusShape tone="down" size={16} />
      <div className="min-w-0 flex-1">
        <p>{say.problem(problem)}</p>
        {problem.requestId !== null && (
          <code className="text-mute">{t("toast.request", { id: problem.requestId })}</code>
        )}
      </div>
      {onRetry && (
        <button type="button" className="btn" onClick={onRetry}>
          {t("act.retry")}
        </button>
      )}
    </div>
  );
}

/** Nothing here: why, and one act. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-2 px-4 py-10 text-center">
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-md text-mute">{children}</div>}
    </div>
  );
}
