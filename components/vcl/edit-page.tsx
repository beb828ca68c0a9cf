"use client";
// A VCL being written: checked by the compiler of every node while one types, tried by its tests, saved as a revision.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { VclChecked, VclFile, VclTest } from "@/lib/vcl/contract";
import { editAddress, rollAddress } from "./addresses";
import { type Draft, differs, dropDraft, keepDraft, readDraft } from "./draft";
import { LazyVclEditor } from "./editor/lazy";
import { TestsForm } from "./tests-form";
import { type Source, useSource } from "./use-source";

const settleMs = 1200;

function Verdict({
  checked,
  checking,
}: {
  readonly checked: VclChecked | undefined;
  readonly checking: boolean;
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <p className="flex flex-wrap gap-x-4 gap-y-1" role="status">
      {checking && <Status tone="run">{t("vcl.checking")}</Status>}
      {!checking &&
        checked?.nodes.map(({ node, state, ms, problem }) => (
          <Status key={node} tone={state === "compiles" ? "up" : state === "refuses" ? "down" : "unknown"}>
            {t(`vcl.compiler.${state}`, { node, time: say.duration(ms) })}
            {problem !== null && ` ${say.key("problems", problem.problem, problem.params)}`}
          </Status>
        ))}
    </p>
  );
}

function Save({
  cluster,
  draft,
  disabled,
  onSaved,
}: {
  readonly cluster: string;
  readonly draft: Draft;
  readonly disabled: boolean;
  readonly onSaved: (number: number) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const [reason, setReason] = useState("");
  const save = useMutation({
    mutationFn: () => {
      const { files, tests, parent, newest } = draft;
      return api.vcl.save({ cluster, files, tests, parent, newest, reason });
    },
    onSuccess: ({ number }) => onSaved(number),
  });
  return (
    <form
      className="card grid gap-2 p-3 sm:flex sm:items-end"
      onSubmit={(event) => {
        event.preventDefault();
        if (!disabled && !save.isPending) save.mutate();
      }}
    >
      <div className="min-w-0 flex-1">
        <label htmlFor={`${id}-reason`} className="mb-1 block font-medium">
          {t("vcl.why")}
        </label>
        <input
          id={`${id}-reason`}
          className="input"
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        {save.error && (
          <p role="alert" className="mt-1">
            <Status tone="down">{say.problem(problemOf(save.error))}</Status>
          </p>
        )}
      </div>
      <button type="submit" className="btn btn-primary" disabled={disabled || save.isPending}>
        {t("vcl.save")}
      </button>
    </form>
  );
}

function Editing({
  cluster,
  from,
  source,
  newest,
}: {
  readonly cluster: string;
  readonly from: string;
  readonly source: Source;
  readonly newest: number | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const queries = useQueryClient();
  const [kept, setKept] = useState(() => readDraft(cluster, from));
  const begin: Draft = { ...source, parent: source.revision, newest, at: "" };
  const [draft, setDraft] = useState<Draft>(kept ?? begin);
  const [active, setActive] = useState(draft.files[0]?.name ?? "");
  const changed = differs(draft, source);
  const change = (part: { files?: VclFile[]; tests?: VclTest[] }) => {
    const next = { ...draft, ...part, at: new Date().toISOString() };
    setDraft(next);
    if (differs(next, source)) keepDraft(cluster, from, next);
    else dropDraft(cluster, from);
  };
  const settled = useSettled(draft.files, settleMs);
  const check = useQuery({
    ...query.vcl.check.queryOptions({ input: { cluster, files: settled } }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const checking = check.isFetching || settled !== draft.files;
  // From nothing, or from what a node runs by another hand, there is something to save although nothing was typed.
  const news = changed || source.revision === null;
  return (
    <>
      {kept !== null && (
        <p className="card mb-3 flex flex-wrap items-center gap-x-3 p-3" role="status">
          {t("vcl.draftBack", { time: say.time(kept.at) })}
          <button
            type="button"
            className="btn ml-auto"
            onClick={() => {
              dropDraft(cluster, from);
              setKept(null);
              setDraft(begin);
              setActive(begin.files[0]?.name ?? "");
            }}
          >
            {t("vcl.discardDraft")}
          </button>
        </p>
      )}
      <div className="grid gap-3">
        {check.error && <Failure error={check.error} onRetry={() => void check.refetch()} />}
        <Verdict checked={check.data} checking={checking} />
        <LazyVclEditor
          label={t("vcl.editorOf", { cluster })}
          files={draft.files}
          active={active}
          onActive={setActive}
          onChange={(files) => change({ files })}
          problems={checking ? [] : (check.data?.problems ?? [])}
        />
        <TestsForm
          files={draft.files}
          tests={draft.tests}
          cluster={cluster}
          onChange={(tests) => change({ tests })}
        />
        <Save
          cluster={cluster}
          draft={draft}
          disabled={!news}
          onSaved={(number) => {
            dropDraft(cluster, from);
            void queries.invalidateQueries({ queryKey: query.vcl.key() });
            router.push(rollAddress(cluster, number));
          }}
        />
      </div>
    </>
  );
}

export function EditPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const cluster = params.get("cluster") ?? "";
  const from = params.get("from") ?? "";
  const { source, error, again } = useSource(cluster, from);
  const clusters = useQuery(query.vcl.clusters.queryOptions());
  const known = clusters.data?.find(({ name }) => name === cluster);
  const templates = useQuery({ ...query.vcl.templates.queryOptions(), staleTime: Number.POSITIVE_INFINITY });
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/vcl">
          {t("vcl.title")}
        </Link>
      </p>
      <h1 className="mb-1">
        {from.startsWith("node:")
          ? t("vcl.runningOn", { node: from.slice(5) })
          : from.startsWith("template:")
            ? t("vcl.fromTemplate")
            : t("vcl.revision", { number: Number(from) })}
      </h1>
      <p className="mb-3 flex flex-wrap gap-x-3 text-mute">
        {t("vcl.beginWith")}
        {templates.data?.map(({ key }) => (
          <Link key={key} className="link tap" href={editAddress(cluster, `template:${key}`)}>
            {t(`vcl.templates.${key}`)}
          </Link>
        ))}
      </p>
      {error && <Failure error={error} onRetry={again} />}
      {clusters.error && <Failure error={clusters.error} onRetry={() => void clusters.refetch()} />}
      {!error && !clusters.error && (source === null || clusters.data === undefined) && (
        <Skeleton rows={14} />
      )}
      {source !== null && known !== undefined && (
        <Editing
          key={`${cluster} ${from}`}
          cluster={cluster}
          from={from}
          source={source}
          newest={known.newest}
        />
      )}
    </div>
  );
}
