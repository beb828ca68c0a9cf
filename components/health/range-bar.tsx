"use client";
// Which time the charts show: some ranges up to now, two times of one's own, and the ways closer, wider, earlier, later and back.
import { useTranslations } from "next-intl";
import { type FormEvent, useId } from "react";
import { FieldError } from "@/components/ui/field";
import {
  fromInput,
  localInput,
  moved,
  presetNames,
  type Shown,
  type Span,
  scaled,
  spanOf,
} from "./shown-range";

export function RangeBar({
  shown,
  onShow,
  onBack,
  problem,
}: {
  readonly shown: Shown;
  readonly onShow: (shown: Shown) => void;
  /** To the range before; null where there is none. */
  readonly onBack: (() => void) | null;
  /** Why the range cannot be shown. */
  readonly problem: string | null;
}) {
  const t = useTranslations();
  const id = useId();
  const step = (to: (span: Span, now: number) => Span) => () => {
    const now = Date.now();
    onShow(to(spanOf(shown, now), now));
  };
  const span = spanOf(shown, Date.now());
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const from = fromInput(String(data.get("from")));
    const to = fromInput(String(data.get("to")));
    if (from !== null && to !== null) onShow({ from, to });
  };
  return (
    <div className="border-b border-line p-3">
      <div className="flex flex-wrap items-center gap-2">
        <fieldset className="flex flex-wrap gap-1">
          <legend className="sr-only">{t("signals.range")}</legend>
          {presetNames.map((name) => (
            <button
              key={name}
              type="button"
              className={`btn ${shown === name ? "btn-primary" : ""}`}
              aria-pressed={shown === name}
              onClick={() => onShow(name)}
            >
              {t(`signals.ranges.${name}`)}
            </button>
          ))}
        </fieldset>
        <div className="flex flex-wrap gap-1 sm:ml-auto">
          <button type="button" className="btn" onClick={step((one, now) => moved(one, -0.5, now))}>
            {t("signals.earlier")}
          </button>
          <button type="button" className="btn" onClick={step((one, now) => moved(one, 0.5, now))}>
            {t("signals.later")}
          </button>
          <button type="button" className="btn" onClick={step((one, now) => scaled(one, 0.5, now))}>
            {t("signals.closer")}
          </button>
          <button type="button" className="btn" onClick={step((one, now) => scaled(one, 2, now))}>
            {t("signals.wider")}
          </button>
        </div>
      </div>
      <details className="mt-2" open={typeof shown !== "string" || undefined}>
        <summary className="tap text-mute">{t("signals.custom")}</summary>
        <form
          // Other times are other fields.
          key={typeof shown === "string" ? shown : `${shown.from} ${shown.to}`}
          className="mt-1 flex flex-wrap items-end gap-2"
          onSubmit={submit}
        >
          {(["from", "to"] as const).map((name) => (
            <div key={name}>
              <label htmlFor={`${id}${name}`} className="block text-xs text-mute">
                {t(`signals.${name}`)}
              </label>
              <input
                id={`${id}${name}`}
                name={name}
                type="datetime-local"
                step={1}
                required
                className="input"
                defaultValue={localInput(span[name])}
                aria-invalid={problem !== null || undefined}
                aria-describedby={problem === null ? undefined : `${id}problem`}
              />
            </div>
          ))}
          <button type="submit" className="btn">
            {t("signals.show")}
          </button>
        </form>
      </details>
      {problem !== null && <FieldError id={`${id}problem`}>{problem}</FieldError>}
      {onBack !== null && (
        <button type="button" className="btn mt-2" onClick={onBack}>
          {t("signals.back")}
        </button>
      )}
    </div>
  );
}
