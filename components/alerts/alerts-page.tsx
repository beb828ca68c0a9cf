"use client";
// What fires, worst first; what is about to; what is silenced, by whom, why and until when.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useCallback, useState } from "react";
import { useMe } from "@/components/frame/me";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { type AlertsSnapshot, alertStates, type Matcher, type Silence } from "@/lib/alerts/contract";
import { api, query } from "@/lib/api/client";
import type { ChangeRow } from "@/lib/changes/contract";
import { useChangeUpdates } from "@/lib/live/client";
import { AlertLine } from "./alert-line";
import { SilenceDialog } from "./silence-dialog";
import { matchersOf, useAlerts, writtenMatcher } from "./words";

function SilenceLine({ silence }: { readonly silence: Silence }) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const toasts = useToasts();
  const expire = useMutation({
    mutationFn: () => api.alerts.expire({ id: silence.id }),
    onSuccess: () => toasts.tell(t("alerts.expired"), "run"),
    onError: toasts.fail,
  });
  const what = silence.matchers.map(writtenMatcher).join(", ");
  return (
    <li className="row flex-wrap items-center">
      <div className="min-w-0 flex-1 basis-64">
        <code className="break-all">{what}</code>
        <p className="break-words">{silence.comment}</p>
        <p className="text-xs text-mute">
          {t("alerts.by", { name: silence.createdBy })} ·{" "}
          {silence.state === "pending" && `${t("alerts.from", { time: say.time(silence.startsAt) })} · `}
          <time dateTime={silence.endsAt} title={say.utc(silence.endsAt)}>
            {t("alerts.until", { time: say.time(silence.endsAt) })}
          </time>{" "}
          · {t("alerts.reaches", { count: silence.alerts })}
        </p>
      </div>
      {me.may.operate && (
        <button type="button" className="btn" disabled={expire.isPending} onClick={() => expire.mutate()}>
          {t("alerts.expire")}
          <span className="sr-only">{what}</span>
        </button>
      )}
    </li>
  );
}

/** Who does not answer, who is not connected. */
function Sources({ away, connected }: Pick<AlertsSnapshot, "away" | "connected">) {
  const t = useTranslations();
  const say = useSay();
  return (
    <>
      {away.map(({ source, since, problem }) => (
        <p key={source} role="alert" className="card mb-3 p-3">
          <Status tone="warn">
            {t("alerts.away", { name: t(`alerts.sources.${source}`), time: say.time(since) })}
          </Status>
          <span className="block break-words text-mute">
            {say.key("problems", problem.problem, problem.params)}
          </span>
        </p>
      ))}
      {!connected.prometheus && !connected.alertmanager && (
        <p className="mb-3 text-mute">{t("alerts.unconnected")}</p>
      )}
      {connected.prometheus && !connected.alertmanager && (
        <p className="mb-3 text-mute">{t("alerts.noAlertmanager")}</p>
      )}
    </>
  );
}

function Everything({
  data,
  onSilence,
}: {
  readonly data: AlertsSnapshot;
  readonly onSilence: ((matchers: readonly Matcher[]) => void) | null;
}) {
  const t = useTranslations();
  if (Date.parse(data.at) === 0) return <Empty title={t("alerts.notYet")} />;
  return (
    <>
      <Sources away={data.away} connected={data.connected} />
      {data.alerts.length === 0 && (
        <div className="card mb-4">
          <Empty title={t("alerts.none")}>
            <p>{t("alerts.noneText")}</p>
          </Empty>
        </div>
      )}
      {alertStates.map((state) => {
        const of = data.alerts.filter((one) => one.state === state);
        if (of.length === 0) return null;
        return (
          <section key={state} className="card mb-4" aria-labelledby={`alerts-${state}`}>
            <h2 id={`alerts-${state}`}>
              {t(`alerts.states.${state}`)} <span className="num text-mute">{of.length}</span>
            </h2>
            <ol>
              {of.map((one) => (
                <AlertLine
                  key={one.id}
                  alert={one}
                  onSilence={
                    onSilence !== null && one.source !== "sluice" && one.state !== "silenced"
                      ? () => onSilence(matchersOf(one))
                      : null
                  }
                />
              ))}
            </ol>
          </section>
        );
      })}
      {data.failing.length > 0 && (
        <section className="card mb-4" aria-labelledby="alerts-failing">
          <h2 id="alerts-failing">{t("alerts.failing")}</h2>
          <p className="px-3 pt-2 text-mute">{t("alerts.failingText")}</p>
          <ul>
            {data.failing.map(({ name, error }) => (
              <li key={name} className="row flex-wrap">
                <Status tone="warn">{name}</Status>
                <code className="min-w-0 break-words text-mute">{error}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      {data.connected.alertmanager && (
        <section className="card" aria-labelledby="silences">
          <h2 id="silences">{t("alerts.silences")}</h2>
          {data.silences.length === 0 && <p className="p-3 text-mute">{t("alerts.noSilences")}</p>}
          <ul>
            {data.silences.map((one) => (
              <SilenceLine key={one.id} silence={one} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

export function AlertsPage() {
  const t = useTranslations();
  const me = useMe();
  const queries = useQueryClient();
  const alerts = useAlerts();
  const [asked, setAsked] = useState<readonly Matcher[] | null>(null);
  // A silence that begins or ends is seen at once.
  useChangeUpdates(
    useCallback(
      ({ kind }: ChangeRow) => {
        if (kind.startsWith("alert.")) void queries.invalidateQueries({ queryKey: query.alerts.list.key() });
      },
      [queries],
    ),
  );
  const { data } = alerts;
  const firing = data?.alerts.filter(({ state }) => state === "firing").length;
  const may = me.may.operate && data?.connected.alertmanager === true;
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">
          {firing === undefined ? t("alerts.title") : t("alerts.count", { count: firing })}
        </h1>
        {may && (
          <button type="button" className="btn" onClick={() => setAsked([])}>
            {t("alerts.silenceNew")}
          </button>
        )}
      </div>
      {alerts.error && !data && <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />}
      {!data && !alerts.error && <Skeleton rows={6} />}
      {data && <Everything data={data} onSilence={may ? setAsked : null} />}
      {asked !== null && <SilenceDialog matchers={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}
