"use client";
// A VCL being written: checked by the compiler of every node while one types, tried by its tests, saved as a revision.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { DraftBack } from "@/components/editor/draft-back";
import { SaveForm } from "@/components/editor/save-form";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { VclChecked, VclFile, VclTest } from "@/lib/vcl/contract";
import { compareAddress, editAddress, rollAddress } from "./addresses";
import { type Draft, differs, drafts } from "./draft";
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

/** Somebody else saved meanwhile: what they changed, and the way to save one's own after it. */
function Newer({
  cluster,
  parent,
  error,
  onTop,
}: {
  readonly cluster: string;
  readonly parent: number | null;
  readonly error: Error;
  readonly onTop: (newest: number) => void;
}) {
  const t = useTranslations();
  const { problem, params } = problemOf(error);
  const number = Number(params.number);
  if (problem !== "vcl.newer") return null;
  return (
    <p className="flex flex-wrap items-center gap-x-3">
      {parent !== null && (
        <Link className="link tap" href={compareAddress(cluster, String(parent), String(number))}>
          {t("vcl.compareNewer", { number })}
        </Link>
      )}
      <button type="button" className="btn" onClick={() => onTop(number)}>
        {t("vcl.takeOver", { number })}
      </button>
    </p>
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
  const router = useRouter();
  const queries = useQueryClient();
  const key = `${cluster} ${from}`;
  const [kept, setKept] = useState(() => drafts.read(key));
  const begin: Draft = { ...source, parent: source.revision, newest, at: "" };
  const [draft, setDraft] = useState<Draft>(kept ?? begin);
  const [active, setActive] = useState(draft.files[0]?.name ?? "");
  const changed = differs(draft, source);
  const change = (part: { files?: VclFile[]; tests?: VclTest[]; newest?: number }) => {
    const next = { ...draft, ...part, at: new Date().toISOString() };
    setDraft(next);
    if (differs(next, source)) drafts.keep(key, next);
    else drafts.drop(key);
  };
  const settled = useSettled(draft.files, settleMs);
  const check = useQuery({
    ...query.vcl.check.queryOptions({ input: { cluster, files: settled } }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const save = useMutation({
    mutationFn: (reason: string) => {
      const { files, tests, parent, newest } = draft;
      return api.vcl.save({ cluster, files, tests, parent, newest, reason });
    },
    onSuccess: ({ number }) => {
      drafts.drop(key);
      void queries.invalidateQueries({ queryKey: query.vcl.key() });
      router.push(rollAddress(cluster, number));
    },
  });
  const checking = check.isFetching || settled !== draft.files;
  // From nothing, or from what a node runs by another hand, there is something to save although nothing was typed.
  const news = changed || source.revision === null;
  return (
    <>
      {kept !== null && (
        <DraftBack
          at={kept.at}
          onDiscard={() => {
            drafts.drop(key);
            setKept(null);
            setDraft(begin);
            setActive(begin.files[0]?.name ?? "");
          }}
        />
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
        <SaveForm
          verb={t("vcl.save")}
          disabled={!news}
          pending={save.isPending}
          error={save.error}
          onSave={(reason) => save.mutate(reason)}
        />
        {save.error && (
          <Newer
            cluster={cluster}
            parent={draft.parent}
            error={save.error}
            onTop={(newest) => {
              change({ newest });
              save.reset();
            }}
          />
        )}
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
