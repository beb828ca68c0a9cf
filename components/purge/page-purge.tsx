"use client";
// The editor's page: one field, one button, and in plain words what will happen.
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useId, useRef, useState } from "react";
import { useMe } from "@/components/frame/me";
import { FieldError } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { useEarlyText } from "@/components/ui/use-early-text";
import { query } from "@/lib/api/client";
import type { PurgePlan } from "@/lib/purge/contract";
import { Bookmarklet } from "./bookmarklet";
import { usePagePlan, useStartPurge } from "./use-purge";
import { longestWait, relatedCount, relatedTo } from "./words";

const PlanDetail = dynamic(() => import("./plan-detail").then((module) => module.PlanDetail));

/** "With the page, 6 related things will be purged: its data, its English version, 3 lists." */
function useRelatedSentence(plan: PurgePlan): string {
  const t = useTranslations();
  const say = useSay();
  const count = relatedCount(plan);
  if (count === 0) return t("purge.relatedNone");
  const parts = relatedTo(plan).map((part) =>
    part.label === "sibling" && part.language !== null
      ? t("related.siblingIn", { language: say.language(part.language) })
      : t(`related.${part.label}`, { count: part.count }),
  );
  return t("purge.related", { count, list: say.list(parts) });
}

function PlanInWords({ plan, editor }: { readonly plan: PurgePlan; readonly editor: boolean }) {
  const t = useTranslations();
  const say = useSay();
  const [open, setOpen] = useState(false);
  const sentence = useRelatedSentence(plan);
  const wait = longestWait(plan);
  return (
    <div className="mt-4 text-mute">
      <p>
        {sentence}{" "}
        <button type="button" className="link tap" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t("purge.hideDetail") : t("purge.seeDetail")}
        </button>
      </p>
      {wait !== null && <p className="mt-1.5">{t("purge.waits", { time: say.duration(wait) })}</p>}
      {plan.warnings.map((warning) => (
        <p key={warning.problem + JSON.stringify(warning.params)} className="mt-1.5">
          <Status tone="warn">{say.key("problems", warning.problem, warning.params)}</Status>
        </p>
      ))}
      {open && (
        <div className="mt-3">
          <PlanDetail plan={plan} plain={editor} />
        </div>
      )}
    </div>
  );
}

export function PagePurge({
  given,
  fromBookmarklet,
  onStarted,
}: {
  readonly given: string;
  readonly fromBookmarklet: boolean;
  readonly onStarted: (id: number) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [url, setUrl] = useState(given);
  const plan = usePagePlan(url);
  const start = useStartPurge(onStarted);
  useEarlyText(field, setUrl);
  useEffect(() => {
    if (given === "" && matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [given]);

  const empty = url.trim() === "";
  const failure = start.error ?? (plan.settled && !empty ? plan.error : null);
  const problem = failure ? problemOf(failure) : null;
  const data = plan.settled && !empty && !plan.error ? plan.data : undefined;
  const mayNot = !me.may.purgePages;
  return (
    <>
      <h1 className="text-2xl">{t("purge.title")}</h1>
      <p className="mt-1.5 text-base text-mute">{t("purge.intro")}</p>
      <form
        className="mt-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (empty) field.current?.focus();
          else if (!mayNot && !start.isPending) {
            start.mutate({
              target: { by: "url", urls: [url.trim()] },
              origin: fromBookmarklet && url === given ? "bookmarklet" : "page",
            });
          }
        }}
      >
        <label htmlFor={id} className="sr-only">
          {t("purge.field")}
        </label>
        <input
          ref={field}
          id={id}
          data-filter
          type="text"
          inputMode="url"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          autoComplete="off"
          maxLength={8192}
          placeholder={t("purge.placeholder")}
          className="input input-large"
          value={url}
          aria-invalid={problem !== null || undefined}
          aria-describedby={problem ? `${id}-problem` : undefined}
          onChange={(event) => {
            start.reset();
            setUrl(event.target.value);
          }}
        />
        {problem !== null && <FieldError id={`${id}-problem`}>{say.problem(problem)}</FieldError>}
        <button
          type="submit"
          className="btn btn-primary btn-large mt-3.5 w-full"
          disabled={mayNot || start.isPending || (problem !== null && !start.error)}
        >
          {start.isPending ? t("purge.starting") : t("purge.button")}
        </button>
        {mayNot && <p className="mt-3 text-mute">{t("purge.mayNot")}</p>}
      </form>
      <div aria-live="polite">
        {data ? (
          <PlanInWords plan={data} editor={!me.may.purgeWide} />
        ) : (
          !empty && !problem && <p className="mt-4 text-mute">{t("purge.planning")}</p>
        )}
      </div>
      <Bookmarklet />
      <StatusPages />
    </>
  );
}

/** Where one sees how the own sites are. */
function StatusPages() {
  const t = useTranslations();
  const sites = useQuery(query.purges.sites.queryOptions());
  const shown = sites.data?.filter(({ status }) => status) ?? [];
  if (shown.length === 0) return null;
  return (
    <ul className="mt-4 flex flex-wrap gap-x-4">
      {shown.map(({ name, title }) => (
        <li key={name}>
          <Link className="link tap text-mute" href={`/status/${name}`}>
            {t("status.of", { site: title })}
          </Link>
        </li>
      ))}
    </ul>
  );
}
