"use client";
// The usual acts on Traefik's files by forms: what one would do is shown first, then saved as a revision and put in force.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { SaveForm } from "@/components/editor/save-form";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import { type Act, act as actShape } from "@/lib/routing/edit/contract";
import type { ConfigFile, FilesNow } from "@/lib/routing/files/contract";
import { actsAddress, applyAddress } from "../files/addresses";
import { Verdict } from "../files/checked";
import { Effects } from "../files/effects";
import { LazyYamlDiff } from "../files/lazy";
import { FileProblems } from "../files/problems";
import { ActFieldInput } from "./act-fields";
import { type ActName, actNames, emptyValues, fieldAt, forms, readerOf, type Values } from "./forms";

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
      {check.data && <Effects {...check.data} />}
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

function ActForm({
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
  const [values, setValues] = useState<Values>(() => emptyValues(form));
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
  const change = (name: string, value: Values[string]) => {
    setValues({ ...values, [name]: value });
    setFaults(Object.fromEntries(Object.entries(faults).filter(([field]) => field !== name)));
    // What is shown is of what was typed before.
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
          <ActFieldInput
            key={field.name}
            field={field}
            values={values}
            words={words.data}
            error={faults[field.name] ?? null}
            onChange={(value) => change(field.name, value)}
          />
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

export function ActsPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const traefik = params.get("traefik") ?? "";
  const of = actNames.find((one) => one === params.get("act")) ?? "route";
  const directories = useQuery(query.routing.directories.queryOptions());
  const now = useQuery({
    ...query.routing.files.queryOptions({ input: { traefik } }),
    enabled: traefik !== "",
    staleTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const known = directories.data?.find((one) => one.traefik === traefik);
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/routing">
          {t("rooms.routing")}
        </Link>
      </p>
      <h1 className="mb-3">{t("routing.acts.of", { traefik })}</h1>
      <nav aria-label={t("routing.acts.title")} className="mb-3 flex flex-wrap gap-1">
        {actNames.map((one) => (
          <Link
            key={one}
            href={actsAddress(traefik, one)}
            aria-current={one === of ? "page" : undefined}
            className={`btn ${one === of ? "btn-primary" : "btn-quiet"}`}
          >
            {t(`routing.acts.names.${one}`)}
          </Link>
        ))}
      </nav>
      {now.error && <Failure error={now.error} onRetry={() => void now.refetch()} />}
      {directories.error && <Failure error={directories.error} onRetry={() => void directories.refetch()} />}
      {!now.error && !directories.error && (now.data === undefined || known === undefined) && (
        <Skeleton rows={10} />
      )}
      {now.data !== undefined && known !== undefined && (
        <ActForm
          key={`${traefik} ${of} ${now.data.hash}`}
          traefik={traefik}
          of={of}
          now={now.data}
          newest={known.newest}
        />
      )}
    </div>
  );
}
