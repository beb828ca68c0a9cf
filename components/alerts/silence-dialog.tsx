"use client";
// A silence: what it reaches now, why, and for how long.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { partsOf } from "@/components/overview/words";
import { Confirm } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { CloseIcon } from "@/components/ui/icons";
import { type Problem, problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import type { Matcher, SilencePlan } from "@/lib/alerts/contract";
import { api, query } from "@/lib/api/client";
import { alertTone, flagsOf, isOperator, operatorOf, operators } from "./words";

const stillMs = 300;
const hourMs = 3_600_000;
/** Longer ones are asked for through the API, where thirty days are the most. */
const lengths = [
  hourMs / 2,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  8 * hourMs,
  24 * hourMs,
  72 * hourMs,
  168 * hourMs,
];
const operatorWords = { "=": "equals", "!=": "differs", "=~": "fits", "!~": "fitsNot" } as const;

type Row = Matcher & { readonly key: number };
const emptyMatcher: Matcher = { name: "", value: "", isRegex: false, isEqual: true };

function MatcherRow({
  row,
  problem,
  onChange,
  onRemove,
}: {
  readonly row: Row;
  readonly problem: Problem | null;
  readonly onChange: (row: Row) => void;
  readonly onRemove: (() => void) | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  return (
    <li className="grid grid-cols-[minmax(0,3fr)_minmax(0,2fr)_auto] items-start gap-1.5 sm:grid-cols-[minmax(0,2fr)_auto_minmax(0,3fr)_auto]">
      <Field
        label={t("alerts.label")}
        hideLabel
        required
        spellCheck={false}
        autoComplete="off"
        placeholder={t("alerts.label")}
        className="w-full font-mono"
        value={row.name}
        onChange={(event) => onChange({ ...row, name: event.target.value.trim() })}
      />
      <div>
        <label htmlFor={id} className="sr-only">
          {t("alerts.how")}
        </label>
        <select
          id={id}
          className="input w-full"
          value={operatorOf(row)}
          onChange={({ target: { value } }) => {
            if (isOperator(value)) onChange({ ...row, ...flagsOf(value) });
          }}
        >
          {operators.map((one) => (
            <option key={one} value={one}>
              {one} {t(`alerts.${operatorWords[one]}`)}
            </option>
          ))}
        </select>
      </div>
      <div className="order-last col-span-3 sm:order-none sm:col-span-1">
        <Field
          label={t("alerts.valueOf")}
          hideLabel
          spellCheck={false}
          autoComplete="off"
          placeholder={t("alerts.valueOf")}
          className="w-full font-mono"
          value={row.value}
          error={problem === null ? null : say.problem(problem)}
          onChange={(event) => onChange({ ...row, value: event.target.value })}
        />
      </div>
      <button
        type="button"
        className="btn btn-quiet px-2"
        disabled={onRemove === null}
        onClick={() => onRemove?.()}
      >
        <CloseIcon />
        <span className="sr-only">{t("alerts.removeMatcher")}</span>
      </button>
    </li>
  );
}

function Preview({ plan }: { readonly plan: SilencePlan }) {
  const t = useTranslations();
  return (
    <div className="grid gap-1.5">
      {plan.broad && (
        <p>
          <Status tone="warn">{t("alerts.broad")}</Status>
        </p>
      )}
      <p>{t("alerts.reached", { count: plan.count })}</p>
      {plan.reached.length > 0 && (
        <Scroll label={t("alerts.reached", { count: plan.count })} className="card max-h-48 overflow-y-auto">
          <ul>
            {plan.reached.map((one) => (
              <li key={one.id} className="row flex-wrap">
                <b className="min-w-0 flex-1 font-medium break-words">{one.name}</b>
                {one.component !== null && <span className="text-mute">{partsOf(one.component).name}</span>}
                <Status tone={alertTone({ state: one.state, severity: null })}>
                  {t(`alerts.states.${one.state}`)}
                </Status>
              </li>
            ))}
          </ul>
        </Scroll>
      )}
    </div>
  );
}

export function SilenceDialog({
  matchers,
  onClose,
}: {
  /** What it begins with. */
  readonly matchers: readonly Matcher[];
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const [rows, setRows] = useState<readonly Row[]>(() =>
    (matchers.length === 0 ? [emptyMatcher] : matchers).map((one, key) => ({ ...one, key })),
  );
  const [ms, setMs] = useState(2 * hourMs);
  const [endsAt, setEndsAt] = useState(() => new Date(Date.now() + 2 * hourMs).toISOString());
  const [reason, setReason] = useState("");
  const asked = rows.map(({ key: _key, ...one }) => one);
  const named = asked.every(({ name }) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name));
  const typed = JSON.stringify(asked);
  const settled = useSettled(typed, stillMs);
  const plan = useQuery({
    ...query.alerts.planSilence.queryOptions({
      input: { matchers: JSON.parse(settled) as Matcher[], endsAt },
    }),
    enabled: named && settled === typed,
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const silence = useMutation({
    mutationFn: (confirmation: string) =>
      api.alerts.silence({
        matchers: asked,
        endsAt: new Date(Date.now() + ms).toISOString(),
        reason: reason.trim(),
        ...(plan.data?.confirmation == null ? {} : { confirmation }),
      }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const problem = plan.error === null || !named ? null : problemOf(plan.error);
  const at = (index: number) => (problem?.field?.startsWith(`matchers.${index}.`) ? problem : null);
  const placed = problem?.field?.startsWith("matchers.") ?? false;
  const change = (row: Row) => setRows(rows.map((one) => (one.key === row.key ? row : one)));
  const ready =
    named && settled === typed && plan.data !== undefined && !plan.isPlaceholderData && problem === null;
  return (
    <Confirm
      open
      title={t("alerts.silenceAsk")}
      verb={t("alerts.confirm", { time: say.duration(ms) })}
      typed={plan.data?.confirmation ?? null}
      danger={plan.data?.level === "destructive"}
      busy={!ready || reason.trim().length < 3 || silence.isPending}
      onConfirm={(confirmation) => silence.mutate(confirmation)}
      onClose={onClose}
    >
      <div className="grid gap-4 text-ink">
        <fieldset>
          <legend className="mb-1 font-medium">{t("alerts.matchers")}</legend>
          <p className="mb-2 text-xs text-mute">{t("alerts.matchersText")}</p>
          <ul className="grid gap-2">
            {rows.map((row, index) => (
              <MatcherRow
                key={row.key}
                row={row}
                problem={at(index)}
                onChange={change}
                onRemove={rows.length === 1 ? null : () => setRows(rows.filter((one) => one.key !== row.key))}
              />
            ))}
          </ul>
          <button
            type="button"
            className="btn mt-2"
            onClick={() =>
              setRows([...rows, { ...emptyMatcher, key: Math.max(...rows.map(({ key }) => key)) + 1 }])
            }
          >
            {t("alerts.addMatcher")}
          </button>
        </fieldset>
        <div>
          <label htmlFor={`${id}-length`} className="mb-1 block font-medium">
            {t("alerts.length")}
          </label>
          <select
            id={`${id}-length`}
            className="input"
            value={ms}
            onChange={(event) => {
              const chosen = Number(event.target.value);
              setMs(chosen);
              setEndsAt(new Date(Date.now() + chosen).toISOString());
            }}
          >
            {lengths.map((one) => (
              <option key={one} value={one}>
                {say.duration(one)}
              </option>
            ))}
          </select>
        </div>
        <Field
          label={t("alerts.reason")}
          required
          minLength={3}
          maxLength={500}
          className="w-full"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <section aria-labelledby={`${id}-preview`} aria-live="polite">
          <h3 id={`${id}-preview`} className="mb-1 font-medium">
            {t("alerts.preview")}
          </h3>
          {problem !== null && !placed && <FieldError>{say.problem(problem)}</FieldError>}
          {problem === null && plan.data === undefined && named && <Skeleton rows={2} />}
          {problem === null && plan.data !== undefined && <Preview plan={plan.data} />}
        </section>
        {silence.error && <FieldError>{say.problem(problemOf(silence.error))}</FieldError>}
      </div>
    </Confirm>
  );
}
