"use client";
// What became of a trial of a VCL: what each node gave with its secret and without; and of its end, what serves everybody again.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { nodeAddress } from "@/components/vcl/addresses";
import type { ChangeDetail } from "@/lib/changes/contract";
import type { ToldProblem } from "@/lib/errors/contract";
import { tryEndEvidence, tryEndPlan, tryEvidence, tryPlan } from "@/lib/vcl/try/contract";

type Row = {
  readonly node: string;
  readonly ok: boolean | null;
  readonly says: string | null;
  readonly problem: ToldProblem | null;
};

/** A trial's proof, or that of its end. */
export function TryProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const begun = detail.kind === "vcl.try";
  const began = tryPlan.safeParse(detail.plan).data;
  const ended = tryEndPlan.safeParse(detail.plan).data;
  const tried = tryEvidence.safeParse(detail.evidence).data;
  const over = tryEndEvidence.safeParse(detail.evidence).data;
  const given = (one: { readonly status: number; readonly revision: string | null } | null) =>
    one === null ? "–" : `${one.status} ${one.revision ?? t("vcl.try.usual")}`;
  const rows: Row[] = begun
    ? (began?.nodes ?? []).map(({ node }) => {
        const seen = tried?.nodes.find((one) => one.node === node);
        return {
          node,
          ok: seen?.ok ?? null,
          says:
            seen === undefined
              ? null
              : t("vcl.try.seen", { page: seen.page, mine: given(seen.with), others: given(seen.without) }),
          problem: seen?.problem ?? null,
        };
      })
    : (ended?.nodes ?? []).map((node) => {
        const seen = over?.nodes.find((one) => one.node === node);
        const says = seen?.active == null ? null : t("vcl.try.serves", { name: seen.active });
        return { node, ok: seen?.ok ?? null, says, problem: seen?.problem ?? null };
      });
  return (
    <section className="card">
      <h2>{t(begun ? "vcl.try.proofTitle" : "vcl.try.endTitle")}</h2>
      {ended !== undefined && !begun && <p className="row">{t(`vcl.try.why.${ended.why}`)}</p>}
      <ul>
        {rows.map(({ node, ok, says, problem }) => (
          <li key={node} className="border-t border-line px-3 py-2.5 first:border-0">
            <div className="flex flex-wrap items-baseline gap-x-3">
              <Link className="link font-semibold" href={nodeAddress(node)}>
                {node}
              </Link>
              <span className="ml-auto">
                {ok === null ? (
                  <Status tone="unknown">{t("vcl.try.notProved")}</Status>
                ) : (
                  <Status tone={ok ? "up" : "down"}>
                    {t(
                      `vcl.try.${begun ? (ok ? "onlyMine" : "notOnlyMine") : ok ? "asBefore" : "notAsBefore"}`,
                    )}
                  </Status>
                )}
              </span>
            </div>
            {says !== null && <p className="text-xs break-all text-mute">{says}</p>}
            {problem !== null && (
              <p className="text-down-ink">{say.key("problems", problem.problem, problem.params)}</p>
            )}
          </li>
        ))}
      </ul>
      {begun && (
        <Link className="link row" href="/vcl">
          {t("vcl.try.toPage")}
        </Link>
      )}
    </section>
  );
}
