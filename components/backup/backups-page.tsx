"use client";
// Backups: every repository and how it is, files searched over all snapshots, and one repository's snapshots.
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { addressAt } from "@/components/ui/address-at";
import { AddressSearch } from "@/components/ui/address-filter";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import { FoundFiles } from "./found-files";
import { RepositoryCard } from "./repository-card";
import { SnapshotList } from "./snapshot-list";

const address = addressAt("/backups");
const example = `restic:
  - name: backups
    repository: /srv/backups
    password: "\${RESTIC_PASSWORD}"`;

export function BackupsPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const list = useQuery({ ...query.backup.repositories.queryOptions(), refetchInterval: 10_000 });
  useRowKeys();
  const text = params.get("search")?.trim() ?? "";
  const named = params.get("repository");
  const chosen = list.data?.find(({ name }) => name === named) ?? list.data?.[0];
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <h1 className="mb-1">{t("backup.title")}</h1>
      <p className="mb-3 text-mute">{t("backup.lead")}</p>
      {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {!list.data && !list.error && <Skeleton rows={6} />}
      {list.data?.length === 0 && (
        <Empty title={t("backup.none")}>
          <p>{t("backup.noneText")}</p>
          <pre className="mt-2 overflow-x-auto text-left">{example}</pre>
        </Empty>
      )}
      {list.data && list.data.length > 0 && (
        <>
          <div className="mb-5 grid gap-3">
            {list.data.map((one) => (
              <RepositoryCard key={one.name} one={one} chosen={one === chosen} />
            ))}
          </div>
          <search className="mb-3 flex">
            <AddressSearch name="search" label={t("backup.search")} address={address} />
          </search>
        </>
      )}
      {text !== "" && <FoundFiles text={text} />}
      {chosen !== undefined && chosen.state !== "missing" && (
        <SnapshotList key={chosen.name} repository={chosen.name} />
      )}
    </div>
  );
}
