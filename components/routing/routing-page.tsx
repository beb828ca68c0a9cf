"use client";
// What each Traefik is told by files, and which of its routers takes a request, and why the others do not. The address holds what is asked, but for what is written as its headers and client.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useEffect, useId, useState } from "react";
import { useMe } from "@/components/frame/me";
import { addressAt } from "@/components/ui/address-at";
import { AddressSearch, AddressSelect } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { query } from "@/lib/api/client";
import { type Candidate, methods, type Routed } from "@/lib/routing/contract";
import { TraefikDirectories } from "./files/directories";
import { RoutingOverview } from "./overview-traefiks";
import { useGiven } from "./use-given";

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
          {Number.isSafeInteger(Number(one.priority)) &&
            t("routing.priority", { value: say.number(Number(one.priority)) })}
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
        {one.service === "" ? t("routing.leadsOn") : t("routing.leads", { service: one.service })}
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

/** Routers that are asked after each other, below one sentence about who takes it. */
function AskedOf({
  asked: { candidates, more },
  nobody,
  taken,
}: {
  readonly asked: Pick<Routed["entryPoints"][number], "candidates" | "more">;
  readonly nobody: string;
  readonly taken: (router: string, unsure: boolean) => string;
}) {
  const t = useTranslations();
  const winner = candidates.find(({ state }) => state === "taken");
  const unsure = candidates.some(({ state }) => state === "tie");
  return (
    <>
      <h4 className="border-line not-first:border-t border-b px-3 py-2.5">
        {winner === undefined ? nobody : taken(winner.name, unsure)}
      </h4>
      <ol>
        {candidates.map((one) => (
          <CandidateLine key={one.name} one={one} />
        ))}
      </ol>
      {more > 0 && <p className="px-3 pb-2.5 text-xs text-mute">{t("routing.more", { count: more })}</p>}
    </>
  );
}

function Answer({ of }: { readonly of: Routed }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <section className="mb-5" aria-label={`${t("routing.title")}: ${of.traefik}`}>
      <h3 className="mb-2 font-semibold">{of.traefik}</h3>
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
      {of.entryPoints.map(({ name, address: listens, below, ...first }) => (
        <div key={name} className="card mb-3">
          <AskedOf
            asked={first}
            nobody={t("routing.nobody", { point: name, address: listens })}
            taken={(router, unsure) =>
              t(unsure ? "routing.perhaps" : "routing.takes", { point: name, address: listens, name: router })
            }
          />
          {below.map(({ parent, ...children }) => (
            <AskedOf
              key={parent}
              asked={children}
              nobody={t("routing.noChild", { parent })}
              taken={(router, unsure) =>
                t(unsure ? "routing.perhapsChild" : "routing.child", { parent, name: router })
              }
            />
          ))}
        </div>
      ))}
    </section>
  );
}

export function RoutingPage() {
  const t = useTranslations();
  const me = useMe();
  const id = useId();
  const params = useSearchParams();
  const [headers, setHeaders, headersGiven] = useGiven("headers");
  const [client, setClient, clientGiven] = useGiven("client");
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (headersGiven || clientGiven) setOpen(true);
  }, [headersGiven, clientGiven]);
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
      <h1 className="mb-3">{t("rooms.routing")}</h1>
      {me.may.operate && <TraefikDirectories />}
      <h2 className="mb-1 font-semibold">{t("routing.title")}</h2>
      <p className="mb-3 text-mute">
        {t("routing.lead")}{" "}
        <Link
          className="link"
          href={url === "" ? "/routing/trace" : `/routing/trace?${new URLSearchParams({ url })}`}
        >
          {t("trace.title")}
        </Link>
      </p>
      <search className="mb-2 flex flex-wrap items-center gap-2 max-sm:*:basis-full">
        <AddressSearch name="url" label={t("routing.url")} address={address} />
        <AddressSelect
          name="method"
          label={t("routing.method")}
          any="GET"
          options={methods.filter((one) => one !== "GET").map((value) => ({ value, label: value }))}
          address={address}
        />
      </search>
      <details className="mb-4" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
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
