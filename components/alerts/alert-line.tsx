"use client";
// One alert: what it says, since when, of what; its labels and what was done before it when they are asked for.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { Outcome } from "@/components/history/outcome";
import { healthAddress, partsOf } from "@/components/overview/words";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { StatusShape } from "@/components/ui/status";
import type { Alert } from "@/lib/alerts/contract";
import { query } from "@/lib/api/client";
import { alertTone, runbookAddress, useAlertTitle } from "./words";

function Runbook({ runbook }: { readonly runbook: string }) {
  const t = useTranslations();
  const address = runbookAddress(runbook);
  return address === null ? (
    <span className="text-mute">
      {t("alerts.runbook")} <code className="break-all">{runbook}</code>
    </span>
  ) : (
    <a className="link" href={address} target="_blank" rel="noreferrer noopener">
      {t("alerts.runbook")}
    </a>
  );
}

/** What was done in the hour before; asked for only when somebody opens it. */
function Before({ id }: { readonly id: string }) {
  const t = useTranslations();
  const say = useSay();
  const suspects = useQuery({ ...query.alerts.suspects.queryOptions({ input: { id } }), retry: false });
  if (suspects.error) return <Failure error={suspects.error} onRetry={() => void suspects.refetch()} />;
  if (!suspects.data) return <Skeleton rows={2} />;
  if (suspects.data.length === 0) return <p className="text-mute">{t("incidents.noSuspects")}</p>;
  return (
    <ol>
      {suspects.data.map(({ change, minutesBefore, where }) => (
        <li key={change.id} className="py-1">
          <Link className="link break-words" href={`/history/${change.id}`}>
            {say.kind(change.kind)} {change.title}
          </Link>{" "}
          <span className="text-xs text-mute">
            {t("incidents.before", { time: say.duration(minutesBefore * 60_000) })} · {change.actor.name} ·{" "}
            <Outcome row={change} />
            {where !== null && ` · ${t(`incidents.where.${where}`)}`}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function AlertLine({
  alert,
  onSilence,
}: {
  readonly alert: Alert;
  /** Null where it cannot be silenced, or not by this person. */
  readonly onSilence: (() => void) | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const titleOf = useAlertTitle();
  const [open, setOpen] = useState(false);
  const { component, severity, description, problem, runbook, incident, value } = alert;
  const title = titleOf(alert);
  const labels = Object.entries(alert.labels).sort(([a], [b]) => a.localeCompare(b));
  return (
    <li className="border-b border-line px-3 py-2.5 last:border-0" data-alert={alert.name}>
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1.5">
        <span className="pt-0.5">
          <StatusShape tone={alertTone(alert)} size={17} />
        </span>
        <div className="min-w-0 flex-1 basis-64">
          <p>
            <b className="font-semibold break-words">{title}</b>
            {title !== alert.name && <span className="text-mute break-all"> {alert.name}</span>}
          </p>
          {description !== null && <p className="break-words text-mute">{description}</p>}
          {problem !== null && (
            <p className="break-words text-mute">{say.key("problems", problem.problem, problem.params)}</p>
          )}
          <p className="flex flex-wrap gap-x-3 gap-y-1 text-xs text-mute">
            <span>
              {severity !== null && `${say.key("alerts.severities", severity)} · `}
              {t(`alerts.sources.${alert.source}`)}
              {value !== null && ` · ${t("alerts.value", { value: say.number(value, 4) })}`}
            </span>
            <time dateTime={alert.since} title={say.utc(alert.since)}>
              {t("overview.since", { time: say.time(alert.since) })}
            </time>
            {component !== null && (
              <Link className="link" href={healthAddress(partsOf(component))}>
                {partsOf(component).name}
              </Link>
            )}
            {incident !== null && (
              <Link className="link" href={`/incidents/${incident}`}>
                {t("frame.incident", { id: incident })}
              </Link>
            )}
            {runbook !== null && <Runbook runbook={runbook} />}
          </p>
        </div>
        {onSilence !== null && (
          <button type="button" className="btn" onClick={onSilence}>
            {t("alerts.silenceNew")}
            <span className="sr-only">{title}</span>
          </button>
        )}
      </div>
      <details className="mt-1 sm:pl-7" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="tap text-xs text-mute">
          {t("alerts.more")} <span className="sr-only">{title}</span>
        </summary>
        {open && (
          <div className="grid gap-2 pt-1">
            {labels.length > 0 && (
              <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 font-mono text-xs">
                {labels.map(([name, said]) => (
                  <div key={name} className="contents">
                    <dt className="text-mute">{name}</dt>
                    <dd className="break-all">{said}</dd>
                  </div>
                ))}
              </dl>
            )}
            <Before id={alert.id} />
          </div>
        )}
      </details>
    </li>
  );
}
