"use client";
// The purge doctor: a harmless canary through one node or Cloudflare, and what to change.
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { Dialog } from "@/components/ui/dialog";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { DoctorFinding } from "@/lib/purge/contract";

const tone = { ok: "up", warn: "warn", fail: "down", unknown: "unknown" } satisfies Record<
  DoctorFinding["status"],
  Tone
>;
const order: Record<DoctorFinding["status"], number> = { fail: 0, warn: 1, unknown: 2, ok: 3 };

export function Doctor({
  kind,
  name,
  onClose,
}: {
  readonly kind: "varnish" | "cloudflare";
  readonly name: string;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const findings = useQuery({
    ...query.purges.doctor.queryOptions({ input: { kind, name } }),
    // The canary is sent when the button is pressed, not whenever the window gets the focus.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog open wide title={t("doctorPage.title", { name })} onClose={onClose}>
      <p className="mb-3 text-mute">{t("doctorPage.text")}</p>
      {findings.isFetching && !findings.data && <Skeleton rows={6} />}
      {findings.error && <Failure error={findings.error} onRetry={() => void findings.refetch()} />}
      {findings.data && (
        <>
          <ul className="card">
            {[...findings.data]
              .sort((a, b) => order[a.status] - order[b.status])
              .map((finding) => (
                <li
                  key={`${finding.check} ${finding.key}`}
                  className="border-b border-line p-3 last:border-0"
                >
                  <div className="flex flex-wrap gap-x-3">
                    <b className="min-w-32 font-semibold">{say.key("checks", finding.check)}</b>
                    <Status tone={tone[finding.status]}>{t(`doctorPage.status.${finding.status}`)}</Status>
                  </div>
                  <p className="mt-1">{say.key("doctor", finding.key, finding.params)}</p>
                  {finding.fix !== null && (
                    <p className="mt-1 border-l-2 border-deep pl-2.5 font-medium">
                      {t("doctorPage.fix")} {say.key("doctorFix", finding.fix, finding.params)}
                    </p>
                  )}
                  {finding.evidence !== "" && (
                    <code className="mt-1 block break-all text-mute">{finding.evidence}</code>
                  )}
                </li>
              ))}
          </ul>
          <button
            type="button"
            className="btn mt-3"
            disabled={findings.isFetching}
            onClick={() => void findings.refetch()}
          >
            {t("doctorPage.again")}
          </button>
        </>
      )}
    </Dialog>
  );
}
