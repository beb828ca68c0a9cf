"use client";
// One layer of a trace: whether it answered, how fast, what it did, and its headers behind a disclosure.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status, StatusShape, type Tone } from "@/components/ui/status";
import type { TraceLayer, TraceRoute } from "@/lib/trace/contract";

/** Facts that are times, in seconds. */
const times = new Set(["age", "beforeAge", "ttl", "grace"]);
const cacheTone: Record<NonNullable<TraceLayer["cache"]>, Tone> = {
  hit: "up",
  stale: "warn",
  miss: "unknown",
  pass: "unknown",
  fetched: "unknown",
};

/** A layer as it stands within a sentence. */
export function useLayerName(): (layer: TraceLayer) => string {
  const t = useTranslations();
  return ({ kind, name, point }) => t("trace.layer", { kind, name: name ?? "", point: point ?? "none" });
}

const toneOf = ({ state, status }: TraceLayer): Tone =>
  state === "unasked"
    ? "unknown"
    : state === "silent" || (status ?? 0) >= 500
      ? "down"
      : (status ?? 0) >= 400
        ? "warn"
        : "up";

function Route({ route }: { readonly route: TraceRoute }) {
  const t = useTranslations();
  const say = useSay();
  const { state, router, rule, service, middlewares, servers, problem } = route;
  return (
    <div className="mt-1.5 text-xs">
      <p>{t(`trace.route.${state}`, { router: router ?? "" })}</p>
      {problem !== null && (
        <p className="text-down-ink">{say.key("problems", problem.problem, problem.params)}</p>
      )}
      {rule !== null && <code className="block break-words">{rule}</code>}
      {service !== null && (
        <p className="text-mute">
          {t("routing.leads", { service })}
          {middlewares.length > 0 && ` · ${t("routing.through", { names: say.list(middlewares) })}`}
        </p>
      )}
      {servers.length > 0 && (
        <ul className="mt-0.5 flex flex-wrap gap-x-4">
          {servers.map(({ url, up }) => (
            <li key={url}>
              <Status tone={up ? "up" : "down"} size={12}>
                <code className="text-ink">{url}</code> {t(up ? "trace.up" : "trace.down")}
              </Status>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Headers({ headers }: Pick<TraceLayer, "headers">) {
  const t = useTranslations();
  return (
    <details className="mt-1.5">
      <summary className="tap text-xs text-mute">{t("trace.headers", { count: headers.length })}</summary>
      <dl className="mt-1 grid gap-x-3 gap-y-0.5 font-mono text-xs sm:grid-cols-[minmax(120px,auto)_minmax(0,1fr)]">
        {headers.map(({ name, value }) => (
          <div key={name} className="contents">
            <dt className="text-mute">{name}</dt>
            <dd className="break-all max-sm:mb-1">{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function LayerLine({ layer }: { readonly layer: TraceLayer }) {
  const t = useTranslations();
  const say = useSay();
  const { kind, name, point, state, status, ms, cache, facts, route, headers, problem, address, page } =
    layer;
  const tone = toneOf(layer);
  const word = (key: string, value: string | number): string =>
    typeof value === "number"
      ? times.has(key)
        ? say.duration(Math.abs(value) * 1000)
        : say.number(value)
      : key === "before"
        ? t(`trace.before.${value === "hit" ? "hit" : "miss"}`)
        : value;
  return (
    <li className="group relative pb-4 pl-8 last:pb-0" data-kind={kind}>
      {/* The water that runs from one to the next. */}
      <span
        aria-hidden="true"
        className="absolute top-3 bottom-0 left-[9px] w-1 rounded bg-water group-last:hidden"
      />
      <span className="absolute top-2.5 left-0 rounded-full bg-pane p-0.5">
        <StatusShape tone={tone} size={18} />
      </span>
      <div className="card px-3 py-2.5">
        <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <h3 className="min-w-0 font-semibold break-words">
            {t(`trace.kinds.${kind}`)} {name}
            {point !== null && ` (${point})`}
          </h3>
          <span className={tone === "down" ? "text-down-ink" : "text-mute"}>
            {t(`trace.states.${state}`)}
          </span>
          {status !== null && <b className="num font-semibold">{status}</b>}
          {cache !== null && <Status tone={cacheTone[cache]}>{t(`trace.cache.${cache}`)}</Status>}
          {ms !== null && <span className="num ml-auto text-mute">{say.duration(ms)}</span>}
        </div>
        {address !== null && <code className="text-xs break-all text-mute">{address}</code>}
        {problem !== null && (
          <p className={`mt-1 ${state === "silent" ? "text-down-ink" : "text-mute"}`}>
            {say.key("problems", problem.problem, problem.params)}
          </p>
        )}
        {route !== null && <Route route={route} />}
        {facts.length > 0 && (
          <dl className="mt-1.5 flex flex-wrap gap-x-4 gap-y-0.5 text-xs">
            {facts.map(({ key, value }) => (
              <div key={key} className="flex min-w-0 gap-1.5">
                <dt className="whitespace-nowrap text-mute">
                  {key === "ttl" && Number(value) < 0 ? t("trace.expired") : say.key("trace.facts", key)}
                </dt>
                <dd className="num min-w-0 break-all">{word(key, value)}</dd>
              </div>
            ))}
          </dl>
        )}
        {page !== null && (
          <p className="mt-1.5 text-xs">
            <Status tone={page === "same" ? "up" : "warn"} size={12}>
              {t(`trace.page.${page}`)}
            </Status>
          </p>
        )}
        {headers.length > 0 && <Headers headers={headers} />}
      </div>
    </li>
  );
}
