"use client";
// VCL: what each node runs and whether that is what was rolled out to it, and the revisions that can be.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { Cluster, NodeVcl, RevisionRow } from "@/lib/vcl/contract";
import { compareAddress, editAddress, nodeAddress } from "./addresses";
import { RolloutDialog } from "./rollout-dialog";
import { TryDialog, TryPanel } from "./try-panel";

const refreshMs = 10_000;

/** How a node stands, in one word. */
function standing(node: NodeVcl): { readonly tone: Tone; readonly word: string } {
  if (node.state === "none" || node.state === "checking") return { tone: "unknown", word: node.state };
  if (node.state === "down") return { tone: "down", word: "down" };
  if (node.driftSince !== null) return { tone: "warn", word: "drift" };
  if (node.file !== "none" && node.file !== "same") return { tone: "warn", word: `file-${node.file}` };
  return node.expected === null ? { tone: "unknown", word: "unmanaged" } : { tone: "up", word: "same" };
}

function NodeLine({ node, cluster }: { readonly node: NodeVcl; readonly cluster: string }) {
  const t = useTranslations();
  const say = useSay();
  const { tone, word } = standing(node);
  const drifts = node.driftSince !== null && node.expected !== null;
  return (
    <li className="border-t border-line px-3 py-2.5 first:border-0">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <Status tone={tone}>{t(`vcl.standing.${word}`)}</Status>
        <Link className="link font-semibold" href={nodeAddress(node.node)}>
          {node.node}
        </Link>
        {node.active !== null && (
          <span>
            {node.revision === null ? t("vcl.foreign") : t("vcl.runs", { number: node.revision })}{" "}
            <code className="text-xs break-all text-mute">{node.active}</code>
          </span>
        )}
        <span className="ml-auto flex flex-wrap gap-x-3">
          {node.state === "up" && (
            <Link className="link tap" href={editAddress(cluster, `node:${node.node}`)}>
              {t("vcl.openRunning")}
            </Link>
          )}
          {drifts && (
            <Link
              className="link tap"
              href={compareAddress(cluster, String(node.expected), `node:${node.node}`)}
            >
              {t("vcl.difference")}
            </Link>
          )}
        </span>
      </div>
      {drifts && (
        <p className="mt-1 text-warn-ink">
          {t("vcl.driftSince", { number: node.expected ?? 0, time: say.time(node.driftSince ?? "") })}
        </p>
      )}
      {node.problem !== null && (
        <p className="mt-1 text-down-ink">{say.key("problems", node.problem.problem, node.problem.params)}</p>
      )}
      {node.state === "none" && <p className="mt-1 text-mute">{t("vcl.noAdmin")}</p>}
    </li>
  );
}

function RevisionLine({
  row,
  cluster,
  onRollOut,
  onTry,
}: {
  readonly row: RevisionRow;
  readonly cluster: string;
  readonly onRollOut: () => void;
  readonly onTry: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="border-t border-line px-3 py-2.5 first:border-0">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <b className="num font-semibold">r{row.number}</b>
        <span className="min-w-0 break-words">
          {row.origin === "found" ? t("vcl.found", { node: row.author }) : (row.reason ?? t("vcl.noReason"))}
        </span>
        <span className="ml-auto flex flex-wrap gap-x-3">
          {row.parent !== null && (
            <Link className="link tap" href={compareAddress(cluster, String(row.parent), String(row.number))}>
              {t("vcl.compare", { number: row.parent })}
            </Link>
          )}
          <Link className="link tap" href={editAddress(cluster, String(row.number))}>
            {t("vcl.open")}
          </Link>
          <button type="button" className="link tap" onClick={onTry}>
            {t("vcl.try.open")}
          </button>
          <button type="button" className="link tap" onClick={onRollOut}>
            {t("vcl.rollOut")}
          </button>
        </span>
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-xs text-mute">
        {row.origin === "saved" && <span>{row.author}</span>}
        <time dateTime={row.at} title={say.utc(row.at)}>
          {say.time(row.at)}
        </time>
        <span>{say.bytes(row.bytes)}</span>
        {row.tests > 0 && <span>{t("vcl.testCount", { count: row.tests })}</span>}
        {row.applied !== null && (
          <Link className="link" href={`/history/${row.applied.change}`}>
            {t("vcl.applied", { by: row.applied.by, time: say.time(row.applied.at) })}
          </Link>
        )}
        {row.nodes.length > 0 && <Status tone="up">{t("vcl.on", { nodes: say.list(row.nodes) })}</Status>}
      </p>
    </li>
  );
}

function ClusterCards({
  cluster,
  rolling,
  trying: initial,
}: {
  readonly cluster: Cluster;
  /** Revisions whose dialogs the page's address opens. */
  readonly rolling: number | null;
  readonly trying: number | null;
}) {
  const t = useTranslations();
  const { name } = cluster;
  const [chosen, setChosen] = useState(rolling);
  const [trying, setTrying] = useState(initial);
  const revisions = useQuery({
    ...query.vcl.revisions.queryOptions({ input: { cluster: name } }),
    refetchInterval: refreshMs,
  });
  const first = cluster.nodes.find(({ state }) => state === "up") ?? cluster.nodes[0];
  return (
    <div className="mb-6 grid gap-3">
      <section className="card min-w-0">
        <h2>{t("vcl.nodesOf", { cluster: name })}</h2>
        <ul>
          {cluster.nodes.map((node) => (
            <NodeLine key={node.node} node={node} cluster={name} />
          ))}
        </ul>
      </section>
      <TryPanel cluster={name} />
      <section className="card min-w-0">
        <h2 className="flex flex-wrap items-center gap-2">
          {t("vcl.revisions")}
          <Link
            className="btn ml-auto"
            href={editAddress(
              name,
              cluster.newest === null ? `node:${first?.node ?? ""}` : String(cluster.newest),
            )}
          >
            {t("vcl.edit")}
          </Link>
        </h2>
        {revisions.error && <Failure error={revisions.error} onRetry={() => void revisions.refetch()} />}
        {!revisions.data && !revisions.error && <Skeleton rows={3} />}
        {revisions.data?.length === 0 && <Empty title={t("vcl.noRevisions")} />}
        <ul>
          {revisions.data?.map((row) => (
            <RevisionLine
              key={row.number}
              row={row}
              cluster={name}
              onRollOut={() => setChosen(row.number)}
              onTry={() => setTrying(row.number)}
            />
          ))}
        </ul>
      </section>
      {trying !== null && <TryDialog cluster={name} number={trying} onClose={() => setTrying(null)} />}
      {chosen !== null && (
        <RolloutDialog
          cluster={cluster}
          number={chosen}
          onTry={() => {
            setChosen(null);
            setTrying(chosen);
          }}
          onClose={() => setChosen(null)}
        />
      )}
    </div>
  );
}

export function VclPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const clusters = useQuery({ ...query.vcl.clusters.queryOptions(), refetchInterval: refreshMs });
  /** The revision that the address names for an act on this cluster. */
  const named = (act: "roll" | "try", { name }: Cluster): number | null => {
    const number = Number(params.get(act));
    return params.get("cluster") === name && Number.isInteger(number) && number > 0 ? number : null;
  };
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <h1 className="mb-1">{t("vcl.title")}</h1>
      <p className="mb-3 text-mute">{t("vcl.lead")}</p>
      {clusters.error && <Failure error={clusters.error} onRetry={() => void clusters.refetch()} />}
      {!clusters.data && !clusters.error && <Skeleton rows={6} />}
      {clusters.data?.length === 0 && <Empty title={t("vcl.noVarnish")} />}
      {clusters.data?.map((cluster) => (
        <ClusterCards
          key={cluster.name}
          cluster={cluster}
          rolling={named("roll", cluster)}
          trying={named("try", cluster)}
        />
      ))}
    </div>
  );
}
