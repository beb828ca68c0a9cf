"use client";
// The proof of a purge: layer by layer before, now, evidence and when, on one time line; then what the page was made of.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { CachedWords, ObjectName, useObjectLabel } from "@/components/purge/plan-detail";
import { timeline } from "@/components/purge/words";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { PurgePlan, PurgeProof } from "@/lib/purge/contract";

type ProofLayer = PurgeProof["layers"][number];
const verdictTone: Record<ProofLayer["verdict"], Tone> = { fresh: "up", stale: "down", unknown: "unknown" };
const spanColour: Record<ProofLayer["spans"][number]["what"], string> = {
  purge: "bg-water",
  wait: "bg-line",
  again: "bg-water",
  verify: "bg-up",
};

function Bars({ layer, totalMs }: { readonly layer: ProofLayer; readonly totalMs: number }) {
  const t = useTranslations();
  const say = useSay();
  const words = layer.spans.map((span) =>
    t("proof.span", {
      what: t(`proof.spans.${span.what}`),
      from: say.duration(span.from),
      to: say.duration(span.to),
    }),
  );
  return (
    <div role="img" aria-label={words.join("; ")} title={words.join("\n")} className="relative h-5 min-w-40">
      {layer.spans.map((span) => (
        <i
          key={`${span.what}${span.from}`}
          className={`absolute top-1.5 h-2 rounded-[3px] ${spanColour[span.what]}`}
          style={{
            left: `${(span.from / totalMs) * 100}%`,
            width: `max(4px, ${((span.to - span.from) / totalMs) * 100}%)`,
          }}
        />
      ))}
    </div>
  );
}

function Now({ layer }: { readonly layer: ProofLayer }) {
  const t = useTranslations();
  const say = useSay();
  const waiting = layer.waiting > 0;
  return (
    <>
      <Status tone={waiting ? "warn" : verdictTone[layer.verdict]}>
        {waiting
          ? t("proof.now.waiting", { count: layer.waiting })
          : t(
              layer.layer === "redis" && layer.verdict === "fresh"
                ? "proof.now.gone"
                : `proof.now.${layer.verdict}`,
            )}
      </Status>
      {layer.revision !== null && (
        <small className="block text-xs text-mute">
          {t("cached.revision", { revision: layer.revision })}
        </small>
      )}
      {layer.why.map((why) => (
        <small key={why.key + JSON.stringify(why.params)} className="block text-xs text-mute">
          {say.key("purge.why", why.key, why.params)}
        </small>
      ))}
      {layer.checked.of > 1 && (
        <small className="block text-xs text-mute">
          {t("proof.checked", { fresh: layer.checked.fresh, of: layer.checked.of })}
        </small>
      )}
    </>
  );
}

function ProofTable({ proof }: { readonly proof: PurgeProof }) {
  const t = useTranslations();
  const say = useSay();
  const { totalMs, ticks } = timeline(proof);
  const purged = (layer: ProofLayer) => (
    <>
      {t("proof.objects", { count: layer.purged })}
      {layer.failed > 0 && (
        <span className="text-down-ink"> {t("proof.failed", { count: layer.failed })}</span>
      )}
    </>
  );
  return (
    <section className="card">
      <h2>{t("proof.title")}</h2>
      <Scroll label={t("proof.title")} className="hidden  md:block">
        <table className="table num">
          <thead>
            <tr>
              <th scope="col">{t("plan.layer")}</th>
              <th scope="col">{t("proof.before")}</th>
              <th scope="col">{t("proof.nowTitle")}</th>
              <th scope="col">{t("proof.evidence")}</th>
              <th scope="col" className="w-[24%]">
                <span className="sr-only">{t("proof.when")}</span>
                <span aria-hidden="true" className="flex justify-between">
                  {ticks.map((tick) => (
                    <span key={tick}>{tick === 0 ? "0" : say.duration(tick)}</span>
                  ))}
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {proof.layers.map((layer) => (
              <tr key={`${layer.layer}/${layer.system}`}>
                <td>
                  <b className="whitespace-nowrap font-semibold">{layer.system}</b>
                  <small className="block text-xs text-mute">{purged(layer)}</small>
                </td>
                <td>
                  {layer.before === null ? (
                    <span className="text-mute">–</span>
                  ) : (
                    <CachedWords cached={layer.before} />
                  )}
                </td>
                <td>
                  <Now layer={layer} />
                </td>
                <td className="font-mono text-xs">{layer.evidence}</td>
                <td>
                  <Bars layer={layer} totalMs={totalMs} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <ul className="md:hidden">
        {proof.layers.map((layer) => (
          <li
            key={`${layer.layer}/${layer.system}`}
            className="grid gap-1 border-b border-line p-3 last:border-0"
          >
            <div className="flex flex-wrap items-start gap-2">
              <b className="font-semibold">{layer.system}</b>
              <span className="text-xs text-mute">{purged(layer)}</span>
              <span className="ml-auto text-right">
                <Now layer={layer} />
              </span>
            </div>
            {layer.before !== null && (
              <div>
                <span className="text-mute">{t("proof.before")} </span>
                <CachedWords cached={layer.before} />
              </div>
            )}
            <code className="text-mute">{layer.evidence}</code>
            <Bars layer={layer} totalMs={totalMs} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The objects of a big purge, page by page. */
function AllObjects({ id, count }: { readonly id: number; readonly count: number }) {
  const t = useTranslations();
  const objects = useInfiniteQuery(
    query.purges.objects.infiniteOptions({
      input: (after: number) => ({ id, after, limit: 200 }),
      initialPageParam: 0,
      getNextPageParam: (last) => last.next ?? undefined,
      enabled: false,
    }),
  );
  const rows = objects.data?.pages.flatMap((page) => page.objects) ?? [];
  return (
    <>
      {rows.length > 0 && (
        <ul className="max-h-96 overflow-auto">
          {rows.map((row) => (
            <li key={row.seq} className="row">
              <code className="break-all">
                {row.host}
                {row.value}
              </code>
              {row.count > 1 && (
                <small className="ml-auto text-xs text-mute">{t("proof.asked", { count: row.count })}</small>
              )}
            </li>
          ))}
        </ul>
      )}
      {(rows.length === 0 || objects.hasNextPage) && (
        <div className="row">
          <button
            type="button"
            className="btn"
            disabled={objects.isFetching}
            onClick={() => void (rows.length === 0 ? objects.refetch() : objects.fetchNextPage())}
          >
            {rows.length === 0 ? t("proof.showAll", { count }) : t("proof.showMore")}
          </button>
        </div>
      )}
    </>
  );
}

export function PurgeProofCards({
  id,
  plan,
  proof,
}: {
  readonly id: number;
  readonly plan: PurgePlan;
  readonly proof: PurgeProof | null;
}) {
  const t = useTranslations();
  const label = useObjectLabel();
  return (
    <>
      {proof !== null && <ProofTable proof={proof} />}
      <section className="card">
        <h2>
          {plan.target.by === "url" && plan.pages === 1
            ? t("proof.madeOf")
            : t("plan.objects", { count: plan.objectCount })}
        </h2>
        <ul>
          {plan.objects.map((object) => (
            <li key={`${object.type} ${object.host} ${object.value}`} className="row flex-wrap">
              <ObjectName object={object} />
              <small className="ml-auto text-xs text-mute">{label(object.label)}</small>
            </li>
          ))}
        </ul>
        {plan.objectCount > plan.objects.length && <AllObjects id={id} count={plan.objectCount} />}
      </section>
    </>
  );
}
