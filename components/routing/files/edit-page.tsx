"use client";
// Traefik's files being written: checked as Traefik reads them while one types, with what would change; saved as a revision.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { DraftBack } from "@/components/editor/draft-back";
import { SaveForm } from "@/components/editor/save-form";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { ConfigFile } from "@/lib/routing/files/contract";
import { applyAddress, compareAddress, revisionsAddress } from "./addresses";
import { isRejected, Verdict } from "./checked";
import { type Draft, differs, drafts } from "./draft";
import { Effects } from "./effects";
import { LazyYamlEditor } from "./lazy";
import { type Source, useFiles } from "./use-files";

const settleMs = 1000;
const none: [] = [];

function Editing({
  traefik,
  from,
  source,
  newest,
}: {
  readonly traefik: string;
  readonly from: string;
  readonly source: Source;
  readonly newest: number | null;
}) {
  const t = useTranslations();
  const router = useRouter();
  const queries = useQueryClient();
  const key = `${traefik} ${from}`;
  const [kept, setKept] = useState(() => drafts.read(key));
  const begin: Draft = { files: source.files, parent: source.revision, newest, at: "" };
  const [draft, setDraft] = useState<Draft>(kept ?? begin);
  const [active, setActive] = useState(draft.files[0]?.name ?? "");
  const change = (files: ConfigFile[]) => {
    const next = { ...draft, files, at: new Date().toISOString() };
    setDraft(next);
    if (differs(files, source.files)) drafts.keep(key, next);
    else drafts.drop(key);
  };
  const words = useQuery({
    ...query.routing.words.queryOptions({ input: { traefik } }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const settled = useSettled(draft.files, settleMs);
  const check = useQuery({
    ...query.routing.check.queryOptions({ input: { traefik, files: settled } }),
    placeholderData: keepPreviousData,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const checking = check.isFetching || settled !== draft.files;
  const save = useMutation({
    mutationFn: (reason: string) =>
      api.routing.save({
        traefik,
        files: draft.files,
        parent: draft.parent,
        newest: draft.newest,
        ...(reason === "" ? {} : { reason }),
      }),
    onSuccess: ({ number }) => {
      drafts.drop(key);
      void queries.invalidateQueries({ queryKey: query.routing.key() });
      router.push(applyAddress(traefik, number));
    },
  });
  const news = differs(draft.files, source.files) || source.revision === null;
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
      {newest !== draft.newest && newest !== null && (
        <p role="status" className="card mb-3 flex flex-wrap items-center gap-x-3 p-3">
          <Status tone="warn">{t("routing.files.meanwhile", { number: newest })}</Status>
          <Link
            className="link tap ml-auto"
            href={
              draft.newest === null
                ? revisionsAddress(traefik)
                : compareAddress(traefik, draft.newest, newest)
            }
          >
            {t("routing.files.difference")}
          </Link>
        </p>
      )}
      <div className="grid gap-3">
        {check.error && <Failure error={check.error} onRetry={() => void check.refetch()} />}
        <Verdict checked={check.data} checking={checking} />
        {source.apart.map(({ name, why }) => (
          <p key={name} className="text-mute">
            {t("routing.files.apart", { name, why })}
          </p>
        ))}
        {draft.files.length === 0 && <p>{t("routing.files.noFiles")}</p>}
        <LazyYamlEditor
          label={t("routing.files.editorOf", { traefik })}
          files={draft.files}
          active={active}
          onActive={setActive}
          onChange={change}
          problems={checking ? none : (check.data?.problems ?? none)}
          words={words.data}
        />
        <SaveForm
          verb={t("routing.files.save")}
          disabled={!news}
          pending={save.isPending}
          error={save.error}
          onSave={(reason) => save.mutate(reason)}
        />
        {check.data && !isRejected(check.data) && (
          <div className={checking ? "opacity-60" : ""}>
            <Effects {...check.data} />
          </div>
        )}
      </div>
    </>
  );
}

export function EditPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const traefik = params.get("traefik") ?? "";
  const from = params.get("revision") ?? "now";
  const { source, error, again } = useFiles(traefik, from);
  const directories = useQuery({ ...query.routing.directories.queryOptions(), refetchInterval: 10_000 });
  const known = directories.data?.find((one) => one.traefik === traefik);
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/routing">
          {t("rooms.routing")}
        </Link>
      </p>
      <h1 className="mb-3">
        {from === "now"
          ? t("routing.files.filesOf", { traefik })
          : t("routing.files.revisionOf", { number: Number(from), traefik })}
      </h1>
      {error && <Failure error={error} onRetry={again} />}
      {directories.error && <Failure error={directories.error} onRetry={() => void directories.refetch()} />}
      {directories.data !== undefined && known === undefined && (
        <Empty title={t("routing.files.unknown", { traefik })} />
      )}
      {!error &&
        !directories.error &&
        (directories.data === undefined || (known !== undefined && source === null)) && (
          <Skeleton rows={14} />
        )}
      {source !== null && known !== undefined && (
        <Editing
          key={`${traefik} ${from}`}
          traefik={traefik}
          from={from}
          source={source}
          newest={known.newest}
        />
      )}
    </div>
  );
}
