"use client";
// The fields of a usual act: texts, lists, names that exist, rows of two.
import { useTranslations } from "next-intl";
import { useId, useRef, useState } from "react";
import { Field, FieldError } from "@/components/ui/field";
import { CloseIcon } from "@/components/ui/icons";
import type { ConfigWords } from "@/lib/routing/files/contract";
import { type Field as ActField, offered, type Pair, readerOf, tlsVersions, type Values } from "./forms";

type Shared = {
  readonly label: string;
  readonly help: string | null;
  readonly error: string | null;
};

/** Ids of a field's help and error, and what its input says of them. */
function useDescribed({ help, error }: Shared) {
  const id = useId();
  const described = [help === null ? "" : `${id}-help`, error === null ? "" : `${id}-error`]
    .filter(Boolean)
    .join(" ");
  return {
    id,
    input: {
      id,
      "aria-invalid": error === null ? undefined : true,
      "aria-describedby": described || undefined,
    },
    below: (
      <>
        {help !== null && (
          <p id={`${id}-help`} className="mt-1 text-xs text-mute">
            {help}
          </p>
        )}
        {error !== null && <FieldError id={`${id}-error`}>{error}</FieldError>}
      </>
    ),
  };
}

function LinesField({
  value,
  placeholder,
  rows,
  onChange,
  withFile = false,
  ...shared
}: Shared & {
  readonly value: string;
  readonly placeholder: string | undefined;
  readonly rows: number;
  readonly onChange: (value: string) => void;
  /** A file may be chosen whose text is taken. */
  readonly withFile?: boolean;
}) {
  const t = useTranslations();
  const { id, input, below } = useDescribed(shared);
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium">
        {shared.label}
      </label>
      <textarea
        {...input}
        className="input font-mono text-xs! max-sm:text-base!"
        rows={rows}
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {withFile && (
        <>
          <input
            ref={chooser}
            type="file"
            hidden
            accept=".csv,.txt,text/csv,text/plain"
            aria-label={t("routing.acts.file")}
            onChange={async (event) => {
              const [file] = event.target.files ?? [];
              if (file) onChange(await file.text());
              event.target.value = "";
            }}
          />
          <button type="button" className="btn mt-1" onClick={() => chooser.current?.click()}>
            {t("routing.acts.file")}
          </button>
        </>
      )}
      {below}
    </div>
  );
}

function ChoiceField({
  value,
  options,
  onChange,
  ...shared
}: Shared & {
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string) => void;
}) {
  const { id, input, below } = useDescribed(shared);
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium">
        {shared.label}
      </label>
      <select {...input} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
      {below}
    </div>
  );
}

/** Names in the order in which they were added: those that exist are offered, others may be typed. */
function NamesField({
  chosen,
  offers,
  onChange,
  ...shared
}: Shared & {
  readonly chosen: readonly string[];
  readonly offers: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}) {
  const t = useTranslations();
  const list = useId();
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLDivElement>(null);
  const add = () => {
    const name = typed.trim();
    if (name !== "" && !chosen.includes(name)) onChange([...chosen, name]);
    setTyped("");
  };
  return (
    <div ref={field}>
      <div className="flex items-end gap-2">
        <div className="min-w-0 flex-1">
          <Field
            label={shared.label}
            list={list}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || typed.trim() === "") return;
              event.preventDefault();
              add();
            }}
          />
        </div>
        <button type="button" className="btn" disabled={typed.trim() === ""} onClick={add}>
          {t("routing.acts.add")}
          <span className="sr-only">: {shared.label}</span>
        </button>
      </div>
      <datalist id={list}>
        {offers
          .filter((one) => !chosen.includes(one))
          .map((one) => (
            <option key={one} value={one} />
          ))}
      </datalist>
      {chosen.length > 0 && (
        <ul className="mt-1 flex flex-wrap gap-1.5">
          {chosen.map((name) => (
            <li key={name} className="flex items-center rounded-md border border-line pl-2">
              <code className="break-all">{name}</code>
              <button
                type="button"
                className="btn btn-quiet px-2"
                onClick={() => {
                  onChange(chosen.filter((one) => one !== name));
                  field.current?.querySelector("input")?.focus();
                }}
              >
                <CloseIcon size={12} />
                <span className="sr-only">{t("routing.acts.leaveOut", { name })}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {shared.help !== null && <p className="mt-1 text-xs text-mute">{shared.help}</p>}
      {shared.error !== null && <FieldError>{shared.error}</FieldError>}
    </div>
  );
}

/** A few names to tick. */
function TickField({
  chosen,
  offers,
  onChange,
  ...shared
}: Shared & {
  readonly chosen: readonly string[];
  readonly offers: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}) {
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{shared.label}</legend>
      <div className="flex flex-wrap gap-x-4">
        {offers.map((one) => (
          <label key={one} className="tap flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={chosen.includes(one)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, one] : chosen.filter((name) => name !== one))
              }
            />
            {one}
          </label>
        ))}
      </div>
      {shared.help !== null && <p className="mt-1 text-xs text-mute">{shared.help}</p>}
      {shared.error !== null && <FieldError>{shared.error}</FieldError>}
    </fieldset>
  );
}

function PairsField({
  pairs,
  kind,
  services,
  onChange,
  ...shared
}: Shared & {
  readonly pairs: readonly Pair[];
  readonly kind: "users" | "parts";
  readonly services: readonly string[];
  readonly onChange: (pairs: readonly Pair[]) => void;
}) {
  const t = useTranslations();
  const list = useId();
  const box = useRef<HTMLFieldSetElement>(null);
  const set = (index: number, part: Partial<Pair>) =>
    onChange(pairs.map((pair, at) => (at === index ? { ...pair, ...part } : pair)));
  return (
    <fieldset ref={box}>
      <legend className="mb-1 font-medium">{shared.label}</legend>
      <datalist id={list}>
        {services.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <ol className="grid gap-2">
        {pairs.map((pair, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: its texts are being written
          <li key={index} className="grid grid-cols-2 items-end gap-2 sm:grid-cols-[1fr_1fr_auto]">
            <Field
              label={t(`routing.acts.pairs.${kind}.first`)}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              {...(kind === "parts" ? { list } : {})}
              value={pair.first}
              onChange={(event) => set(index, { first: event.target.value })}
            />
            <Field
              label={t(`routing.acts.pairs.${kind}.second`)}
              {...(kind === "users"
                ? { type: "password", autoComplete: "new-password", maxLength: 72 }
                : { type: "number", min: 0, max: 1000, inputMode: "numeric" })}
              value={pair.second}
              onChange={(event) => set(index, { second: event.target.value })}
            />
            <button
              type="button"
              className="btn btn-quiet justify-self-start"
              disabled={pairs.length === 1}
              onClick={() => {
                onChange(pairs.filter((_, at) => at !== index));
                box.current?.querySelector("input")?.focus();
              }}
            >
              {t("act.remove")}
              <span className="sr-only"> {pair.first || String(index + 1)}</span>
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        className="btn mt-2"
        onClick={() => onChange([...pairs, { first: "", second: "" }])}
      >
        {t(`routing.acts.pairs.${kind}.add`)}
      </button>
      {shared.help !== null && <p className="mt-1 text-xs text-mute">{shared.help}</p>}
      {shared.error !== null && <FieldError>{shared.error}</FieldError>}
    </fieldset>
  );
}

/** One field of a form, as its kind says. */
export function ActFieldInput({
  field,
  values,
  words,
  there,
  error,
  onChange,
}: {
  readonly field: ActField;
  readonly values: Values;
  readonly words: ConfigWords | undefined;
  /** What may be chosen as well as typed into a text. */
  readonly there: readonly string[];
  readonly error: string | null;
  readonly onChange: (value: Values[string]) => void;
}) {
  const t = useTranslations();
  const list = useId();
  const read = readerOf(values);
  const { name } = field;
  const value = values[name];
  const text = typeof value === "string" ? value : "";
  const helpKey = `routing.acts.help.${name}`;
  const shared: Shared = {
    label: t(`routing.acts.fields.${name}`),
    help: t.has(helpKey) ? t(helpKey) : null,
    error,
  };
  if (field.kind === "lines" || field.kind === "csv")
    return (
      <LinesField
        {...shared}
        value={text}
        placeholder={field.placeholder}
        rows={field.kind === "csv" ? 8 : 3}
        withFile={field.kind === "csv"}
        onChange={onChange}
      />
    );
  if (field.kind === "toggle")
    return (
      <label className="tap flex items-center gap-2 font-medium">
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.target.checked)}
        />
        {shared.label}
      </label>
    );
  if (field.kind === "names") {
    const offers = offered(field.of, words);
    const chosen = read.names(name);
    return field.of === "entryPoints" && offers.length > 0 ? (
      <TickField
        {...shared}
        chosen={chosen}
        offers={[...new Set([...offers, ...chosen])]}
        onChange={onChange}
      />
    ) : (
      <NamesField {...shared} chosen={chosen} offers={offers} onChange={onChange} />
    );
  }
  if (field.kind === "choice") {
    const plain = (list: readonly string[]) => list.map((one) => ({ value: one, label: one }));
    const options =
      field.of === "service"
        ? [{ value: "", label: t(`routing.acts.noService.${name}`) }, ...plain(words?.services ?? [])]
        : field.of === "resolver"
          ? [
              { value: "none", label: t("routing.acts.resolver.none") },
              { value: "=", label: t("routing.acts.resolver.own") },
              ...(words?.certResolvers ?? []).map((one) => ({ value: `=${one}`, label: one })),
            ]
          : [
              ...(field.of === "versionOrNone" ? [{ value: "", label: t("routing.acts.anyVersion") }] : []),
              ...tlsVersions.map((one) => ({
                value: one,
                label: one.replace(/^Version(TLS)(\d)/, "$1 $2."),
              })),
            ];
    // What is in the files already may be none of those that Traefik knows now.
    if (!options.some((one) => one.value === text))
      options.push({ value: text, label: text.replace(/^=/, "") });
    return <ChoiceField {...shared} value={text} options={options} onChange={onChange} />;
  }
  if (field.kind === "users" || field.kind === "parts")
    return (
      <PairsField
        {...shared}
        kind={field.kind}
        pairs={Array.isArray(value) ? value.filter((one): one is Pair => typeof one === "object") : []}
        services={words?.services ?? []}
        onChange={onChange}
      />
    );
  return (
    <>
      <Field
        {...shared}
        placeholder={field.placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        {...(there.length === 0 ? {} : { list })}
        type={field.kind === "number" ? "number" : field.kind === "moment" ? "datetime-local" : "text"}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
      {there.length > 0 && (
        <datalist id={list}>
          {there.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
}
