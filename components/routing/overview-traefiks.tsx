"use client";
// What each Traefik does now: what wants a look first, then its lists. The address holds which list, and what it is filtered by.
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { addressAt } from "@/components/ui/address-at";
import { AddressSearch, replaceAddress } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import { TraefikLine } from "./overview-problems";
import { lists, TraefikList } from "./overview-rows";

const address = addressAt("/routing");
const everyMs = 15_000;

export function RoutingOverview() {
  const t = useTranslations();
  const say = useSay();
  const params = useSearchParams();
  const seen = useQuery({ ...query.routing.overview.queryOptions(), refetchInterval: everyMs });
  const shown = lists.find((one) => one === params.get("show")) ?? "routers";
  const find = params.get("find") ?? "";
  if (seen.data?.length === 0) return null;
  return (
    <section aria-labelledby="routing-now" className="mt-6">
      <h2 id="routing-now" className="mb-2 font-semibold">
        {t("routing.overview.title")}
      </h2>
      {seen.error && <Failure error={seen.error} onRetry={() => void seen.refetch()} />}
      {!seen.data && !seen.error && <Skeleton rows={6} />}
      {seen.data?.map(({ traefik, problem, now }) =>
        now === null ? (
          <section key={traefik} role="alert" className="card mb-3 p-3">
            <h3 className="font-semibold">{traefik}</h3>
            <Status tone="down">
              {problem === null ? t("errors.INTERNAL") : say.key("problems", problem.problem, problem.params)}
            </Status>
          </section>
        ) : (
          <TraefikLine key={traefik} name={traefik} now={now} />
        ),
      )}
      {seen.data?.some(({ now }) => now !== null) && (
        <>
          <div className="mt-5 mb-2 flex flex-wrap items-center gap-2">
            {/* biome-ignore lint/a11y/useSemanticElements: buttons that choose a list are no fields of a form */}
            <div role="group" aria-label={t("routing.overview.show")} className="flex flex-wrap gap-1">
              {lists.map((list) => (
                <button
                  key={list}
                  type="button"
                  aria-pressed={list === shown}
                  className={`btn ${list === shown ? "btn-primary" : "btn-quiet"}`}
                  onClick={() => replaceAddress(address(params, "show", list === "routers" ? "" : list))}
                >
                  {t(`routing.overview.lists.${list}`)}
                </button>
              ))}
            </div>
            <AddressSearch name="find" label={t("routing.overview.find")} address={address} />
          </div>
          {seen.data.map(
            ({ traefik, now }) =>
              now !== null && <TraefikList key={traefik} name={traefik} now={now} list={shown} find={find} />,
          )}
        </>
      )}
    </section>
  );
}
