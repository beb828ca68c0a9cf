"use client";
// What of a Traefik wants a look: what it switched off and why, routers in each other's way, servers that are down, certificates that end.
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { useSay } from "@/components/ui/say";
import { Status, type Tone } from "@/components/ui/status";
import { methods } from "@/lib/routing/contract";
import type { Conflict, Fault, RouterRow, TraefikNow } from "@/lib/routing/overview/contract";

type Problem = {
  readonly key: string;
  readonly tone: Tone;
  readonly title: string;
  readonly body?: ReactNode;
};

/** Each fault in a sentence, with Traefik's own words. */
export function Faults({ faults }: { readonly faults: readonly Fault[] }) {
  const t = useTranslations();
  return faults.map(({ kind, about, says }) => (
    <p key={says} className="text-xs">
      {kind !== "other" && `${t(`routing.overview.faults.${kind}`, { name: about })} `}
      <code className="break-words text-mute">{says}</code>
    </p>
  ));
}

/** The request that two routers both take, with the way to the question above. */
function Example({
  of,
  across,
}: {
  readonly of: NonNullable<Conflict["example"]>;
  readonly across: boolean;
}) {
  const t = useTranslations();
  // Made up from the rules: nobody's own headers. Empty ones empty the fields.
  const asked = new URLSearchParams({ url: of.url, headers: of.headers, client: of.client });
  if (of.method !== "GET") asked.set("method", of.method);
  const request = `${of.method} ${of.url}`;
  return (
    <>
      <p className="text-xs">
        {t("routing.overview.example")} {/* Of other methods the page knows no question. */}
        {methods.some((one) => one === of.method) ? (
          <Link className="link break-all" href={`/routing?${asked}`}>
            {request}
          </Link>
        ) : (
          <span className="break-all">{request}</span>
        )}{" "}
        {of.headers !== "" && <code className="break-all text-mute">{of.headers}</code>}{" "}
        {of.client !== "" && t("routing.overview.exampleFrom", { client: of.client })}
      </p>
      {across && <p className="text-xs text-mute">{t("routing.overview.precedence")}</p>}
    </>
  );
}

const toneOf = ({ status }: Pick<RouterRow, "status">): Tone => (status === "disabled" ? "down" : "warn");

const providerOf = (name: string | undefined): string => name?.slice(name.lastIndexOf("@")) ?? "";

function useProblems() {
  const t = useTranslations();
  const say = useSay();

  const ofConflict = (one: Conflict): Problem => {
    const [first] = one.others;
    const shown = one.others.slice(0, 5);
    const others = one.others.length > 5 ? [...shown, `+${one.others.length - 5}`] : shown;
    return {
      key: `${one.kind} ${one.protocol} ${one.router} ${one.others.join()} ${one.entryPoints.join()} ${one.tls}`,
      tone: "warn",
      title: t(`routing.overview.conflicts.${one.kind}`, {
        name: one.router,
        others: say.list(others),
        points: say.list(one.entryPoints),
        names: say.list(one.names),
        all: String(one.all),
        tls: String(one.tls),
        protocol: one.protocol,
      }),
      body: one.example !== null && (
        <Example of={one.example} across={providerOf(one.router) !== providerOf(first)} />
      ),
    };
  };

  return ({ routers, services, middlewares, certificates, soonDays, conflicts }: TraefikNow): Problem[] => [
    ...routers.rows
      .filter(({ status }) => status !== "enabled")
      .map((one) => ({
        key: `router ${one.protocol} ${one.name}`,
        tone: toneOf(one),
        title: t(`routing.overview.${one.status === "disabled" ? "routerOff" : "routerWarned"}`, {
          name: one.source,
          protocol: one.protocol,
        }),
        body: <Faults faults={one.faults} />,
      })),
    ...services.rows
      .filter(({ status }) => status !== "enabled")
      .map((one) => ({
        key: `service ${one.protocol} ${one.name}`,
        tone: toneOf(one),
        title: t(`routing.overview.${one.status === "disabled" ? "serviceOff" : "serviceWarned"}`, {
          name: one.name,
        }),
        body: <Faults faults={one.faults} />,
      })),
    ...middlewares.rows
      .filter(({ status }) => status !== "enabled")
      .map((one) => ({
        key: `middleware ${one.protocol} ${one.name}`,
        tone: toneOf(one),
        title: t(`routing.overview.${one.status === "disabled" ? "middlewareOff" : "middlewareWarned"}`, {
          name: one.name,
          type: one.type,
        }),
      })),
    ...services.rows.flatMap(({ protocol, name, servers }) => {
      const down = servers.filter(({ up }) => !up);
      if (down.length === 0) return [];
      return {
        key: `down ${protocol} ${name}`,
        tone: down.length === servers.length ? ("down" as const) : ("warn" as const),
        title: t("routing.overview.serversDown", { name, down: down.length, count: servers.length }),
        body: (
          <p className="text-xs">
            <code className="break-all text-mute">{down.map(({ url }) => url).join(", ")}</code>
          </p>
        ),
      };
    }),
    ...conflicts.map(ofConflict),
    ...(certificates?.rows ?? [])
      .filter(({ days }) => days < soonDays)
      .map(({ id, commonName, sans, days, notAfter }) => ({
        key: `certificate ${id}`,
        tone: days < 0 ? ("down" as const) : ("warn" as const),
        title: t(days < 0 ? "routing.overview.certificateOver" : "routing.overview.certificateEnds", {
          name: commonName || (sans[0] ?? id.slice(0, 12)),
          days,
        }),
        body: (
          <time className="block text-xs text-mute" dateTime={notAfter} title={say.utc(notAfter)}>
            {say.time(notAfter)}
          </time>
        ),
      })),
  ];
}

/** One line of a Traefik, and everything of it that wants a look. */
export function TraefikLine({ name, now }: { readonly name: string; readonly now: TraefikNow }) {
  const t = useTranslations();
  const problems = useProblems()(now);
  const counts = ({ rows, more }: { readonly rows: readonly unknown[]; readonly more: number }) =>
    rows.length + more;
  const count = problems.length + now.moreConflicts;
  return (
    <section className="card mb-3" aria-label={name}>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 py-2.5">
        <h3 className="font-semibold">{name}</h3>
        <Status tone={count === 0 ? "up" : problems.some(({ tone }) => tone === "down") ? "down" : "warn"}>
          {t("routing.overview.wrong", { count })}
        </Status>
        <span className="text-xs text-mute">
          {t("routing.overview.counts", {
            version: now.version,
            routers: counts(now.routers),
            services: counts(now.services),
            middlewares: counts(now.middlewares),
          })}
        </span>
      </div>
      {problems.length > 0 && (
        <ul>
          {problems.map(({ key, tone, title, body }) => (
            <li key={key} className="border-t border-line px-3 py-2">
              <Status tone={tone}>
                <span className="break-words">{title}</span>
              </Status>
              {body && <div className="ml-5 grid gap-0.5">{body}</div>}
            </li>
          ))}
        </ul>
      )}
      {now.moreConflicts > 0 && (
        <p className="border-t border-line px-3 py-2 text-xs text-mute">
          {t("routing.overview.moreConflicts", { count: now.moreConflicts })}
        </p>
      )}
      {now.unseenConflicts && (
        <p className="border-t border-line px-3 py-2 text-xs text-mute">
          {t("routing.overview.unseenConflicts")}
        </p>
      )}
    </section>
  );
}
