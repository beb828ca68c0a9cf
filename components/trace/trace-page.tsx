"use client";
// One address through all layers: the verdict on top, then each layer as the water meets it, outermost first.
import { useMutation } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useRef, useState } from "react";
import { addressAt } from "@/components/ui/address-at";
import { replaceAddress } from "@/components/ui/address-filter";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, StatusShape } from "@/components/ui/status";
import { useEarlyText } from "@/components/ui/use-early-text";
import { api } from "@/lib/api/client";
import { type Trace, type TraceRequest, traceMethods } from "@/lib/trace/contract";
import { LayerLine, useLayerName } from "./layer-line";

const address = addressAt("/routing/trace");

function Verdict({ of }: { readonly of: Trace }) {
  const t = useTranslations();
  const say = useSay();
  const nameOf = useLayerName();
  const { verdict, layers, failing, compared } = of;
  const named = (index: number | null | undefined): string => {
    const layer = index === null || index === undefined ? undefined : layers[index];
    return layer === undefined ? "none" : nameOf(layer);
  };
  const { ageS, ...params } = verdict.params;
  return (
    <section className="card mb-4 grid gap-2 p-3" aria-live="polite">
      <div className="flex items-start gap-2.5">
        <span className="pt-0.5">
          <StatusShape tone={verdict.tone} size={20} />
        </span>
        <h2 className="min-w-0 text-base font-semibold break-words">
          {say.key("trace.verdicts", verdict.key, {
            ...params,
            layer: named(verdict.layer),
            behind: named(verdict.behind),
            behindStatus: (verdict.behind === null ? null : layers[verdict.behind]?.status) ?? 0,
            age: typeof ageS === "number" ? say.duration(ageS * 1000) : "",
          })}
        </h2>
      </div>
      {failing.length > 0 && (
        <p>
          <Status tone="warn">{t("trace.failing", { names: say.list(failing.map(named)) })}</Status>
        </p>
      )}
      {compared.state !== "none" && (
        <p>
          <Status tone={compared.state === "same" ? "up" : compared.state === "differs" ? "warn" : "unknown"}>
            {t(`trace.compared.${compared.state}`, {
              truth: named(compared.truth),
              first: named(compared.differing[0]),
              names: say.list(compared.differing.map(named)),
            })}
          </Status>
        </p>
      )}
      <p className="text-xs text-mute">{t("trace.fills")}</p>
    </section>
  );
}

export function TracePage() {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const params = useSearchParams();
  const [url, setUrl] = useState(params.get("url") ?? "");
  const [method, setMethod] = useState<(typeof traceMethods)[number]>("GET");
  const [headers, setHeaders] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEarlyText(field, setUrl);
  const found = useMutation({ mutationFn: (input: TraceRequest) => api.routing.trace(input) });
  const problem = found.error === null ? null : problemOf(found.error);
  const isOfField = problem?.field === "url" || problem?.field === "headers";
  return (
    <div className="mx-auto max-w-4xl px-3 py-4 sm:px-5">
      <h1 className="mb-1">{t("trace.title")}</h1>
      <p className="mb-3 text-mute">{t("trace.lead")}</p>
      <form
        className="mb-4 grid gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          replaceAddress(address(params, "url", url.trim()));
          found.mutate({ url: url.trim(), method, headers });
        }}
      >
        <div className="flex flex-wrap items-center gap-2">
          <input
            ref={field}
            type="text"
            inputMode="url"
            data-filter
            required
            spellCheck={false}
            autoCapitalize="none"
            className="input min-w-52 flex-1 max-sm:basis-full"
            aria-label={t("trace.url")}
            aria-invalid={problem?.field === "url" ? true : undefined}
            placeholder={t("trace.url")}
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
          <label htmlFor={`${id}method`} className="sr-only">
            {t("routing.method")}
          </label>
          <select
            id={`${id}method`}
            className="input w-auto!"
            value={method}
            onChange={(event) => setMethod(traceMethods.find((one) => one === event.target.value) ?? "GET")}
          >
            {traceMethods.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
          <button type="submit" className="btn btn-primary" disabled={found.isPending}>
            {t("trace.ask")}
          </button>
        </div>
        <details>
          <summary className="tap text-mute">{t("trace.more")}</summary>
          <label htmlFor={`${id}headers`} className="mt-1 mb-1 block text-xs text-mute">
            {t("routing.headers")}
          </label>
          <textarea
            id={`${id}headers`}
            className="input font-mono text-xs! max-sm:text-base!"
            rows={3}
            spellCheck={false}
            placeholder="Cookie: PHPSESSID=…"
            value={headers}
            onChange={(event) => setHeaders(event.target.value)}
          />
        </details>
        {problem !== null && isOfField && (
          <p role="alert">
            <Status tone="down">{say.problem(problem)}</Status>
          </p>
        )}
      </form>
      {found.error !== null && !isOfField && <Failure error={found.error} />}
      {found.isPending && <Skeleton rows={8} />}
      {found.isIdle && <Empty title={t("trace.empty")} />}
      {found.data !== undefined && (
        <>
          <Verdict of={found.data} />
          <ol aria-label={t("trace.layers")}>
            {found.data.layers.map((layer) => (
              <LayerLine key={`${layer.kind} ${layer.name} ${layer.point}`} layer={layer} />
            ))}
          </ol>
        </>
      )}
    </div>
  );
}
