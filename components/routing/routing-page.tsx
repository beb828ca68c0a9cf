"use client";
// Which router of each Traefik takes a request, and why the others do not. The address holds what is asked, but for its headers.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { useMe } from "@/components/frame/me";
import { addressAt } from "@/components/ui/address-at";
import { AddressSearch, AddressSelect } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { query } from "@/lib/api/client";
import { type Candidate, methods, type Routed } from "@/lib/routing/contract";
import { RoutingOverview } from "./overview-traefiks";

const address = addressAt("/routing");
const settleMs = 400;
const tones: Record<Candidate["state"], Tone> = {
  taken: "up",
  tie: "warn",
  later: "unknown",
  misses: "unknown",
  disabled: "down",
};

function CandidateLine({ one }: { readonly one: Candidate }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="border-t border-line px-3 py-2.5 first:border-0">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <Status tone={tones[one.state]}>{t(`routing.states.${one.state}`)}</Status>
        <b className="font-semibold break-all">{one.name}</b>
        <span className="num ml-auto text-xs text-mute">
          {/* Traefik's own are as high as numbers go. */}
          {Number.isSafeInteger(one.priority) && t("routing.priority", { value: say.number(one.priority) })}
        </span>
      </div>
      {one.parts.length === 0 ? (
        <code className="mt-1 block text-xs break-words">{one.rule}</code>
      ) : (
        <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5">
          {one.parts.map(({ text, holds }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a rule may say the same twice
            <li key={`${index} ${text}`} className="flex min-w-0 items-baseline gap-1.5 text-xs">
              <span aria-hidden="true" className={holds ? "text-up-ink" : "text-down-ink"}>
                {holds ? "✓" : "✗"}
              </span>
              <span className="sr-only">{t(holds ? "routing.holds" : "routing.fails")}</span>
              <code className="break-all">{text}</code>
            </li>
          ))}
        </ul>
      )}
      <p className="mt-1 text-xs text-mute">
        {t("routing.leads", { service: one.service })}
        {one.middlewares.length > 0 && ` · ${t("routing.through", { names: say.list(one.middlewares) })}`}
      </p>
      {one.errors.map((error) => (
        <p key={error} className="mt-1 text-xs text-down-ink">
          {error}
        </p>
      ))}
    </li>
  );
}

function Answer({ of }: { readonly of: Routed }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <section className="mb-5">
      <h2 className="mb-2 font-semibold">{of.traefik}</h2>
      {of.problem !== null && (
        <p role="alert" className="card p-3 text-down-ink">
          {say.key("problems", of.problem.problem, of.problem.params)}
        </p>
      )}
      {of.seen !== null && (
        <p className="mb-2 text-mute">
          {t("routing.seen", { tls: String(of.seen.tls), host: of.seen.host, path: of.seen.path })}
        </p>
      )}
      {of.seen !== null && of.entryPoints.length === 0 && (
        <p className="card p-3">{t(of.seen.tls ? "routing.noneTls" : "routing.nonePlain")}</p>
      )}
      {of.entryPoints.map(({ name, address: listens, candidates, more }) => {
        const taken = candidates.find(({ state }) => state === "taken");
        const unsure = candidates.some(({ state }) => state === "tie");
        return (
          <div key={name} className="card mb-3">
            <h3 className="border-b border-line px-3 py-2.5">
              {taken === undefined
                ? t("routing.nobody", { point: name, address: listens })
                : t(unsure ? "routing.perhaps" : "routing.takes", {
                    point: name,
                    address: listens,
                    name: taken.name,
                  })}
            </h3>
            <ol>
              {candidates.map((one) => (
                <CandidateLine key={one.name} one={one} />
              ))}
            </ol>
            {more > 0 && (
              <p className="px-3 pb-2.5 text-xs text-mute">{t("routing.more", { count: more })}</p>
            )}
          </div>
        );
      })}
    </section>
  );
}

export function RoutingPage() {
  const t = useTranslations();
  const me = useMe();
  const id = useId();
  const params = useSearchParams();
  const [headers, setHeaders] = useState("");
  const [client, setClient] = useState("");
  const sent = useSettled(headers, settleMs);
  const peer = useSettled(client, settleMs);
  const url = params.get("url") ?? "";
  const method = methods.find((one) => one === params.get("method")) ?? "GET";
  const found = useQuery({
    ...query.routing.match.queryOptions({ input: { url, method, headers: sent, client: peer } }),
    enabled: url !== "",
    placeholderData: keepPreviousData,
    retry: false,
  });
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <h1 className="mb-1">{t("routing.title")}</h1>
      <p className="mb-3 text-mute">{t("routing.lead")}</p>
      <search className="mb-2 flex flex-wrap items-center gap-2">
        <AddressSearch name="url" label={t("routing.url")} address={address} />
        <AddressSelect
          name="method"
          label={t("routing.method")}
          any="GET"
          options={methods.filter((one) => one !== "GET").map((value) => ({ value, label: value }))}
          address={address}
        />
      </search>
      <details className="mb-4">
        <summary className="tap text-mute">{t("routing.details")}</summary>
        <div className="mt-1 grid gap-2 sm:grid-cols-[minmax(0,1fr)_220px]">
          <div>
            <label htmlFor={`${id}headers`} className="mb-1 block text-xs text-mute">
              {t("routing.headers")}
            </label>
            <textarea
              id={`${id}headers`}
              className="input font-mono text-xs! max-sm:text-base!"
              rows={3}
              spellCheck={false}
              placeholder="X-Preview: 1"
              value={headers}
              onChange={(event) => setHeaders(event.target.value)}
            />
          </div>
          <div>
            <label htmlFor={`${id}client`} className="mb-1 block text-xs text-mute">
              {t("routing.client")}
            </label>
            <input
              id={`${id}client`}
              className="input"
              placeholder="203.0.113.7"
              value={client}
              onChange={(event) => setClient(event.target.value)}
            />
          </div>
        </div>
      </details>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {url !== "" && found.isPending && <Skeleton rows={6} />}
      {url === "" && <Empty title={t("routing.ask")} />}
      {url !== "" && !found.error && found.data?.length === 0 && <Empty title={t("routing.noTraefik")} />}
      {url !== "" && !found.error && (
        <div
          className={found.isPlaceholderData ? "opacity-60" : ""}
          aria-busy={found.isFetching && !found.data}
        >
          {found.data?.map((one) => (
            <Answer key={one.traefik} of={one} />
          ))}
        </div>
      )}
      {me.may.operate && <RoutingOverview />}
    </div>
  );
}
