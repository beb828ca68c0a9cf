"use client";
// An operator's other ways: many pages, a prefix, tags, a site, everything. First the plan, then the button that says what it does.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useId, useRef, useState } from "react";
import { Confirm } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { lineOf, problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useEarlyText } from "@/components/ui/use-early-text";
import { api, query } from "@/lib/api/client";
import type { PurgePlan, PurgeRequest, PurgeTarget } from "@/lib/purge/contract";
import { PlanDetail } from "./plan-detail";
import { useStartPurge } from "./use-purge";
import type { Way } from "./ways";
import { longestWait, pastedLines } from "./words";

/** The same bound as the contract's MAX_PASTED_URLS, kept here so that no schema comes into the browser. */
const maxLines = 10_000;
type WideWay = Exclude<Way, "url">;
/** What an earlier purge was asked for, to start from. */
export type Asked = Pick<PurgeRequest, "target" | "mode" | "warm">;

/** A target as it is typed into the form's large field. */
function typed(target: PurgeTarget | undefined): string {
  switch (target?.by) {
    case "url":
      return target.urls.join("\n");
    case "prefix":
      return target.prefix;
    case "tag":
      return target.tags.join(" ");
    default:
      return "";
  }
}

export function WidePurge({
  way,
  given,
  onStarted,
}: {
  readonly way: WideWay;
  readonly given: Asked | null;
  readonly onStarted: (id: number) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => typed(given?.target));
  const [site, setSite] = useState(given && "site" in given.target ? given.target.site : "");
  const [mode, setMode] = useState<"hard" | "soft">(given?.mode ?? "hard");
  const [warm, setWarm] = useState<"no" | "list" | "sitemap">(given?.warm ?? "no");
  const [reason, setReason] = useState("");
  const [asking, setAsking] = useState(false);
  useEarlyText(area, setText);
  const sites = useQuery(query.purges.sites.queryOptions());
  const chosen = site || sites.data?.[0]?.name || "";
  const lines = pastedLines(text);
  const tags = text.split(/[\s,]+/).filter(Boolean);
  const tooMany = way === "urls" && lines.length > maxLines;
  const ready =
    !tooMany &&
    (way === "urls"
      ? lines.length > 0
      : way === "prefix"
        ? text.trim() !== "" && chosen !== ""
        : way === "tag"
          ? tags.length > 0 && chosen !== ""
          : way === "site"
            ? chosen !== ""
            : true);

  function target(): PurgeTarget {
    switch (way) {
      case "urls":
        return { by: "url", urls: lines.map((line) => line.text) };
      case "prefix":
        return { by: "prefix", site: chosen, prefix: text.trim() };
      case "tag":
        return { by: "tag", site: chosen, tags };
      case "site":
        return { by: "site", site: chosen };
      case "everything":
        return { by: "everything" };
    }
  }
  const request = () =>
    ({
      target: target(),
      mode,
      warm,
      ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
    }) satisfies Partial<PurgeRequest>;
  const plan = useMutation({ mutationFn: () => api.purges.plan(request()) });
  const start = useStartPurge(onStarted);
  // A plan is of what was asked then: what is changed afterwards needs another.
  const changed = () => {
    plan.reset();
    start.reset();
  };
  const failure = plan.error ?? start.error;
  const problem = failure ? problemOf(failure) : null;
  const faults = (
    problem?.problems.length
      ? problem.problems
      : problem
        ? [{ field: problem.field ?? "", problem: "", params: {} }]
        : []
  )
    .map((fault) => ({ line: lines[(lineOf(fault.field) ?? 0) - 1], fault }))
    .filter((fault) => way === "urls" && fault.line !== undefined);

  function confirm(made: PurgePlan) {
    if (made.level === "reversible") start.mutate({ ...request(), origin: "page" });
    else setAsking(true);
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    if (ready) plan.mutate();
  }
  const verb = (made: PurgePlan) =>
    made.target.by === "url"
      ? t("wide.verbPages", { count: made.pages })
      : made.target.by === "prefix"
        ? t("wide.verbPrefix")
        : made.target.by === "tag"
          ? t("wide.verbTags", { count: tags.length })
          : made.target.by === "site"
            ? t("wide.verbSite", { site: chosen })
            : t("wide.verbEverything");
  const dropBad = () => {
    const bad = new Set(faults.map((fault) => fault.line?.line));
    setText(
      lines
        .filter((line) => !bad.has(line.line))
        .map((line) => line.text)
        .join("\n"),
    );
    changed();
    area.current?.focus();
  };
  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)] lg:items-start">
      <form onSubmit={submit} className="grid gap-4">
        <div>
          <h1>{t(`wide.${way}.title`)}</h1>
          <p className="mt-1 text-mute">{t(`wide.${way}.text`)}</p>
        </div>
        {(way === "prefix" || way === "tag" || way === "site") && (
          <div>
            <label htmlFor={`${id}-site`} className="mb-1 block font-medium">
              {t("wide.siteField")}
            </label>
            <select
              id={`${id}-site`}
              className="input"
              value={chosen}
              onChange={(event) => {
                setSite(event.target.value);
                changed();
              }}
            >
              {sites.data?.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.title === one.name ? one.name : `${one.title} (${one.name})`}
                </option>
              ))}
            </select>
            {sites.error && <Failure error={sites.error} onRetry={() => void sites.refetch()} />}
            {sites.data?.length === 0 && <p className="mt-1 text-mute">{t("wide.noSites")}</p>}
          </div>
        )}
        {(way === "urls" || way === "tag") && (
          <div>
            <div className="mb-1 flex items-baseline gap-2">
              <label htmlFor={`${id}-text`} className="font-medium">
                {t(`wide.${way}.field`)}
              </label>
              <span className="num ml-auto text-xs text-mute" aria-live="polite">
                {way === "urls"
                  ? t("wide.lines", { count: lines.length, max: maxLines })
                  : t("wide.tags", { count: tags.length })}
              </span>
            </div>
            <textarea
              ref={area}
              id={`${id}-text`}
              data-filter
              className="input font-mono text-xs! leading-relaxed max-sm:text-base!"
              rows={way === "urls" ? 12 : 4}
              spellCheck={false}
              placeholder={t(`wide.${way}.placeholder`)}
              value={text}
              aria-invalid={tooMany || problem !== null || undefined}
              aria-describedby={`${id}-problem`}
              onChange={(event) => {
                setText(event.target.value);
                changed();
              }}
            />
          </div>
        )}
        {way === "prefix" && (
          <Field
            label={t("wide.prefix.field")}
            data-filter
            className="font-mono"
            spellCheck={false}
            placeholder="/fr/evenements/"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              changed();
            }}
          />
        )}
        <div id={`${id}-problem`}>
          {tooMany && <FieldError>{t("wide.tooMany", { count: lines.length, max: maxLines })}</FieldError>}
          {problem !== null && faults.length === 0 && <FieldError>{say.problem(problem)}</FieldError>}
          {faults.length > 0 && problem !== null && (
            <div role="alert" className="card border-down p-3">
              <p className="font-semibold">{t("wide.badLines", { count: faults.length })}</p>
              <ol className="mt-1.5 grid max-h-56 gap-1 overflow-auto">
                {faults.slice(0, 100).map(({ line, fault }) => (
                  <li key={line?.line}>
                    <Status tone="down">
                      {t("wide.line", { line: line?.line ?? 0 })}{" "}
                      {fault.problem === ""
                        ? say.problem(problem)
                        : say.key("problems", fault.problem, fault.params)}
                    </Status>
                    <code className="ml-5 block truncate text-mute">{line?.text}</code>
                  </li>
                ))}
              </ol>
              <button type="button" className="btn mt-2.5" onClick={dropBad}>
                {t("wide.dropBad", { count: faults.length })}
              </button>
            </div>
          )}
        </div>
        <fieldset className="flex flex-wrap gap-x-5 gap-y-1">
          <legend className="mb-1 font-medium">{t("wide.mode")}</legend>
          {(["hard", "soft"] as const).map((one) => (
            <label key={one} htmlFor={`${id}-${one}`} className="tap inline-flex items-center gap-2">
              <input
                id={`${id}-${one}`}
                type="radio"
                name={`${id}-mode`}
                className="size-4 accent-[var(--deep)]"
                checked={mode === one}
                onChange={() => {
                  setMode(one);
                  changed();
                }}
              />
              {t(`wide.${one}`)}
            </label>
          ))}
        </fieldset>
        <div className="grid gap-4 sm:grid-cols-2">
          <div>
            <label htmlFor={`${id}-warm`} className="mb-1 block font-medium">
              {t("wide.warm")}
            </label>
            <select
              id={`${id}-warm`}
              className="input"
              value={warm}
              onChange={(event) => {
                setWarm(
                  event.target.value === "list"
                    ? "list"
                    : event.target.value === "sitemap"
                      ? "sitemap"
                      : "no",
                );
                changed();
              }}
            >
              <option value="no">{t("wide.warmNo")}</option>
              {way === "urls" && <option value="list">{t("wide.warmList")}</option>}
              <option value="sitemap">{t("wide.warmSitemap")}</option>
            </select>
          </div>
          <Field
            label={t("wide.reason")}
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        <div>
          <button
            type="submit"
            className={`btn ${plan.data ? "" : "btn-primary"}`}
            disabled={!ready || plan.isPending}
          >
            {plan.isPending ? t("wide.planning") : t("wide.plan")}
          </button>
        </div>
      </form>
      <section aria-live="polite" aria-label={t("plan.title")} className="grid gap-4">
        {plan.data ? (
          <>
            <div className="flex flex-wrap items-center gap-3">
              <h2 className="text-lg">{t("plan.title")}</h2>
              <button
                type="button"
                className={`btn ml-auto ${plan.data.level === "destructive" ? "btn-danger" : "btn-primary"}`}
                disabled={start.isPending}
                onClick={() => confirm(plan.data)}
              >
                {start.isPending ? t("purge.starting") : verb(plan.data)}
              </button>
            </div>
            {longestWait(plan.data) !== null && (
              <p>
                <Status tone="warn">
                  {t("purge.waits", { time: say.duration(longestWait(plan.data) ?? 0) })}
                </Status>
              </p>
            )}
            {plan.data.warnings.map((warning) => (
              <p key={warning.problem + JSON.stringify(warning.params)}>
                <Status tone="warn">{say.key("problems", warning.problem, warning.params)}</Status>
              </p>
            ))}
            <PlanDetail plan={plan.data} plain={false} />
            <Confirm
              open={asking}
              title={verb(plan.data)}
              verb={verb(plan.data)}
              typed={plan.data.confirmation}
              danger={plan.data.level === "destructive"}
              busy={start.isPending}
              onClose={() => setAsking(false)}
              onConfirm={(typed) => {
                setAsking(false);
                start.mutate({
                  ...request(),
                  origin: "page",
                  ...(plan.data.confirmation === null ? {} : { confirmation: typed }),
                });
              }}
            >
              <p>{t("wide.effect", { count: plan.data.objectCount, sites: say.list(plan.data.sites) })}</p>
              {plan.data.level === "destructive" && <p className="mt-2">{t("wide.effectLoad")}</p>}
            </Confirm>
          </>
        ) : (
          <div className="card hidden p-6 text-center text-mute lg:block">{t("wide.planFirst")}</div>
        )}
      </section>
    </div>
  );
}
