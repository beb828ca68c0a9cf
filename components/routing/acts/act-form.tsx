"use client";
// One usual act's form: with what is there already under its name, and what it would do before anything is done.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { Fragment, useMemo, useState } from "react";
import { SaveForm } from "@/components/editor/save-form";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import { type Act, act as actShape } from "@/lib/routing/edit/contract";
import type { ConfigFile, FilesNow } from "@/lib/routing/files/contract";
import { applyAddress } from "../files/addresses";
import { isRejected, Verdict } from "../files/checked";
import { Effects } from "../files/effects";
import { LazyYamlDiff } from "../files/lazy";
import { FileProblems } from "../files/problems";
import { ActFieldInput } from "./act-fields";
import { type ActName, emptyValues, fieldAt, forms, readerOf, type Values } from "./forms";
import { elementsOf, namesOf, type There, thereOf } from "./there";

const mostOffered = 500;

/** By field what is wrong with it; under "" what belongs to none. */
type Faults = Readonly<Record<string, string>>;

/** The draft that an act makes: its difference, what Traefik would make of it, and the way into force. */
function Shown({
  traefik,
  now,
  newest,
  files,
  reason,
}: {
  readonly traefik: string;
  readonly now: FilesNow;
  readonly newest: number | null;
  readonly files: ConfigFile[];
  readonly reason: string;
}) {
  const t = useTranslations();
  const router = useRouter();
  const queries = useQueryClient();
  const check = useQuery({
    ...query.routing.check.queryOptions({ input: { traefik, files } }),
    retry: false,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
  const save = useMutation({
    mutationFn: (why: string) =>
      api.routing.save({
        traefik,
        files,
        parent: now.revision,
        newest,
        ...(why === "" ? {} : { reason: why }),
      }),
    onSuccess: ({ number }) => {
      void queries.invalidateQueries({ queryKey: query.routing.key() });
      router.push(applyAddress(traefik, number));
    },
  });
  return (
    <section aria-labelledby="act-shown" className="mt-5 grid gap-3">
      <h2 id="act-shown" className="font-semibold">
        {t("routing.acts.does")}
      </h2>
      <Verdict checked={check.data} checking={check.isFetching} />
      {check.error && <Failure error={check.error} onRetry={() => void check.refetch()} />}
      {check.data && <FileProblems problems={check.data.problems} />}
      <LazyYamlDiff
        before={now.files}
        after={files}
        beforeLabel={t("routing.files.now")}
        afterLabel={t("routing.acts.then")}
      />
      {check.data && !isRejected(check.data) && <Effects {...check.data} />}
      <SaveForm
        verb={t("routing.acts.save")}
        first={reason}
        disabled={check.data === undefined}
        pending={save.isPending}
        error={save.error}
        onSave={(why) => save.mutate(why)}
      />
    </section>
  );
}

/** That there is something of this name, and what becomes of it. */
function ThereNote({
  of,
  name,
  there,
  seen,
  onFill,
}: {
  readonly of: ActName;
  readonly name: string;
  readonly there: There;
  /** The form was filled with it. */
  readonly seen: boolean;
  readonly onFill: (values: Values) => void;
}) {
  const t = useTranslations();
  const { file, values, replaced } = there;
  const at = { name, file };
  if (values === null)
    return of === "redirects" ? (
      <p className="text-mute">{t("routing.acts.there.adds", at)}</p>
    ) : (
      <p>
        <Status tone="warn">{t("routing.acts.there.maintenance", at)}</Status>
      </p>
    );
  return (
    <div className="grid gap-2">
      {seen ? (
        <p className="text-mute">{t("routing.acts.there.filled", at)}</p>
      ) : (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <Status tone="warn">{t("routing.acts.there.other", at)}</Status>
          <button
            type="button"
            className="btn"
            onClick={(event) => {
              // It goes away.
              event.currentTarget.form?.querySelector("input")?.focus();
              onFill(values);
            }}
          >
            {t("routing.acts.there.fill")}
          </button>
        </p>
      )}
      {replaced.map((what) => (
        <p key={what} className="break-words">
          <Status tone="warn">{t("routing.acts.there.replaced", { what })}</Status>
        </p>
      ))}
    </div>
  );
}

export function ActForm({
  traefik,
  of,
  now,
  newest,
}: {
  readonly traefik: string;
  readonly of: ActName;
  readonly now: FilesNow;
  readonly newest: number | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const form = forms[of];
  const elements = useMemo(() => elementsOf(now.files), [now.files]);
  const [values, setValues] = useState<Values>(() => emptyValues(form));
  /** More than the name was typed since the form was empty or filled. */
  const [touched, setTouched] = useState(false);
  /** The name whose things the form was filled with. */
  const [seen, setSeen] = useState<string | null>(null);
  const name = readerOf(values).text("name");
  const there = useMemo(() => thereOf(of, elements, name), [of, elements, name]);
  const names = useMemo(() => namesOf(of, elements).slice(0, mostOffered), [of, elements]);
  const unseen = there !== null && there.values !== null && seen !== name;
  const [file, setFile] = useState("");
  const [faults, setFaults] = useState<Faults>({});
  const words = useQuery({
    ...query.routing.words.queryOptions({ input: { traefik } }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  // What was typed is handed on in a closure and not kept with the answer: there may be passwords in it.
  const show = useMutation({
    mutationFn: (ask: () => Promise<ConfigFile[]>) => ask(),
    gcTime: 0,
    onError(error) {
      const problem = problemOf(error);
      const told =
        problem.problems.length > 0 ? problem.problems : [{ ...problem, problem: problem.problem ?? "" }];
      const found: Record<string, string> = {};
      for (const { field, problem: key, params } of told) {
        const at = (field === null ? null : fieldAt(form, field))?.field.name ?? "";
        const words = say.problem({ ...problem, problem: key, params });
        found[at] = found[at] === undefined ? words : `${found[at]} ${words}`;
      }
      setFaults(found);
    },
  });
  const ask = () => {
    if (unseen) {
      setFaults({ name: t("routing.acts.there.fillFirst") });
      return;
    }
    const made = actShape.safeParse({ act: of, ...Object(form.make(readerOf(values))) });
    if (!made.success) {
      const found: Record<string, string> = {};
      for (const { path } of made.error.issues) {
        const place = fieldAt(form, path.map(String).join("."));
        const words =
          place === null ? t("problems.input.invalid") : t(`routing.acts.wrong.${place.field.wrong}`);
        found[place?.field.name ?? ""] ??=
          place?.entry == null ? words : t("routing.acts.entry", { number: place.entry, words });
      }
      show.reset();
      setFaults(found);
      return;
    }
    setFaults({});
    const act: Act = made.data;
    show.mutate(() => api.routing.act({ traefik, files: now.files, ...(file === "" ? {} : { file }), act }));
  };
  const change = (field: string, value: Values[string]) => {
    setFaults(Object.fromEntries(Object.entries(faults).filter(([one]) => one !== field)));
    // What is shown is of what was typed before.
    show.reset();
    if (field === "name" && !touched) rename(String(value));
    else {
      setTouched(true);
      setValues({ ...values, [field]: value });
    }
  };
  /** Nothing else was typed yet: the form shows what is there under the new name. */
  const rename = (typed: string) => {
    const found = thereOf(of, elements, typed.trim())?.values ?? null;
    if (found !== null || seen !== null) setValues({ ...(found ?? emptyValues(form)), name: typed });
    else setValues({ ...values, name: typed });
    setSeen(found === null ? null : typed.trim());
  };
  const fill = (found: Values) => {
    setValues(found);
    setSeen(name);
    setTouched(false);
    setFaults({});
    show.reset();
  };
  const shownFields = form.fields.filter(({ when }) => when?.(values) ?? true);
  const homeless = Object.entries(faults).find(([name]) => !shownFields.some((field) => field.name === name));
  return (
    <>
      <form
        className="card grid max-w-3xl gap-4 p-3 sm:p-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!show.isPending) ask();
        }}
      >
        <p className="text-mute">{t(`routing.acts.lead.${of}`)}</p>
        {words.error && <Failure error={words.error} onRetry={() => void words.refetch()} />}
        {shownFields.map((field) => (
          <Fragment key={field.name}>
            <ActFieldInput
              field={field}
              values={values}
              words={words.data}
              there={field.name === "name" ? names : []}
              error={faults[field.name] ?? null}
              onChange={(value) => change(field.name, value)}
            />
            {field.name === "name" && (
              <div role="status" className="empty:hidden">
                {there !== null && (of !== "maintenance" || values.on === true) && (
                  <ThereNote of={of} name={name} there={there} seen={!unseen} onFill={fill} />
                )}
              </div>
            )}
          </Fragment>
        ))}
        {now.files.length > 0 && (
          <label className="block font-medium">
            {t("routing.acts.inFile")}
            <select
              className="input mt-1 font-normal"
              value={file}
              onChange={(event) => {
                setFile(event.target.value);
                show.reset();
              }}
            >
              <option value="">{t("routing.acts.anyFile")}</option>
              {now.files
                .filter(({ name }) => !name.endsWith(".toml"))
                .map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
            </select>
          </label>
        )}
        {homeless !== undefined && (
          <p role="alert">
            <Status tone="down">{homeless[1]}</Status>
          </p>
        )}
        <div className="flex flex-wrap items-center gap-3">
          <button type="submit" className="btn btn-primary" disabled={show.isPending}>
            {t("routing.acts.show")}
          </button>
          {show.isPending && <Status tone="run">{t("routing.files.checking")}</Status>}
        </div>
      </form>
      {show.data && (
        <Shown
          traefik={traefik}
          now={now}
          newest={newest}
          files={show.data}
          reason={t(`routing.acts.reasons.${of}`, {
            name: readerOf(values).text("name"),
            on: String(values.on ?? true),
          })}
        />
      )}
    </>
  );
}
