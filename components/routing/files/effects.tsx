"use client";
// What a change of Traefik's files does: routers and services rather than lines, who is no longer guarded, and recent requests.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status, type Tone } from "@/components/ui/status";
import type { Difference, Guarded, Impact } from "@/lib/routing/files/contract";

const tones = { added: "up", removed: "down", changed: "warn" } satisfies Record<Difference["kind"], Tone>;

export function Differences({ differences }: { readonly differences: readonly Difference[] }) {
  const t = useTranslations();
  if (differences.length === 0) return <p className="px-3 py-2.5">{t("routing.files.noDifference")}</p>;
  return (
    <ul className="max-h-[50dvh] overflow-y-auto">
      {differences.map(({ kind, protocol, section, name, fields }) => (
        <li
          key={`${protocol} ${section} ${name} ${kind}`}
          className="border-t border-line px-3 py-2 first:border-0"
        >
          <p className="flex flex-wrap items-center gap-x-3">
            <Status tone={tones[kind]}>{t(`routing.files.kinds.${kind}`)}</Status>
            <b className="font-semibold break-all">{name}</b>
            <code className="text-mute">
              {protocol}.{section}
            </code>
          </p>
          {fields.length > 0 && (
            <ul className="mt-1 grid gap-1 text-xs">
              {fields.map(({ path, before, after }) => (
                <li key={path} className="break-all">
                  <code>{path}</code>:{" "}
                  {before !== null && (
                    <del className="text-down-ink">
                      <span className="sr-only">{t("routing.files.before")} </span>
                      {before}
                    </del>
                  )}{" "}
                  <span aria-hidden="true">→</span>{" "}
                  {after === null ? (
                    <span className="text-mute">{t("routing.files.takenAway")}</span>
                  ) : (
                    <ins className="text-up-ink no-underline">
                      <span className="sr-only">{t("routing.files.after")} </span>
                      {after}
                    </ins>
                  )}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function GuardedWords({ one }: { readonly one: Guarded }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <>
      {t(`routing.files.guarded.${one.how}`, {
        router: one.router,
        middlewares: say.list(one.middlewares),
        count: one.middlewares.length,
      })}{" "}
      {one.falls === null
        ? one.how !== "unguarded" && t("routing.files.guarded.nobody")
        : one.falls !== one.router && t("routing.files.guarded.falls", { to: one.falls })}{" "}
      {one.example !== null && <code className="break-all">{one.example}</code>}
    </>
  );
}

/** Routers that would guard no more. With `onAccepted` each that is not refused has a box to accept it. */
export function GuardedRouters({
  guarded,
  accepted = [],
  onAccepted,
}: {
  readonly guarded: readonly Guarded[];
  readonly accepted?: readonly string[];
  readonly onAccepted?: (accepted: readonly string[]) => void;
}) {
  const t = useTranslations();
  if (guarded.length === 0) return null;
  return (
    <ul className="grid gap-2">
      {guarded.map((one) => (
        <li key={`${one.router} ${one.how}`} className="grid gap-1">
          <Status tone={one.refused ? "down" : "warn"}>
            <GuardedWords one={one} />
          </Status>
          {one.refused && (
            <p className="font-medium text-down-ink">{t(`routing.files.guarded.refused.${one.how}`)}</p>
          )}
          {!one.refused && onAccepted !== undefined && (
            <label className="tap flex items-center gap-2 text-ink">
              <input
                type="checkbox"
                checked={accepted.includes(one.router)}
                onChange={(event) =>
                  onAccepted(
                    event.target.checked
                      ? [...accepted, one.router]
                      : accepted.filter((router) => router !== one.router),
                  )
                }
              />
              {t("routing.files.guarded.accept", { router: one.router })}
            </label>
          )}
        </li>
      ))}
    </ul>
  );
}

export function ImpactWords({ impact }: { readonly impact: Impact }) {
  const t = useTranslations();
  const say = useSay();
  if (impact.state !== "told")
    return (
      <p className="px-3 py-2.5">
        <Status tone={impact.state === "failed" ? "warn" : "unknown"}>
          {t(`routing.files.impact.${impact.state}`)}{" "}
          {impact.problem !== null && say.key("problems", impact.problem.problem, impact.problem.params)}
        </Status>
      </p>
    );
  const who = (router: string | null) => router ?? t("routing.files.impact.nobody");
  return (
    <>
      <p className="px-3 py-2.5">
        {t("routing.files.impact.replayed", {
          count: impact.requests,
          from: impact.from === null ? "–" : say.time(impact.from),
          to: impact.to === null ? "–" : say.time(impact.to),
        })}{" "}
        {impact.untold > 0 && (
          <span className="text-mute">{t("routing.files.impact.untold", { count: impact.untold })}</span>
        )}
      </p>
      {impact.shifts.length === 0 ? (
        <p className="px-3 pb-2.5">
          {impact.untold > 0 ? (
            <Status tone="unknown">{t("routing.files.impact.sameAsTold")}</Status>
          ) : (
            <Status tone="up">{t("routing.files.impact.same")}</Status>
          )}
        </p>
      ) : (
        <ul>
          {impact.shifts.map(({ from, to, requests, examples, unguarded }) => (
            <li key={`${from} ${to}`} className="border-t border-line px-3 py-2">
              <Status tone={to === null || unguarded.length > 0 ? "down" : "warn"}>
                {t("routing.files.impact.shift", { count: requests, from: who(from), to: who(to) })}
              </Status>
              {unguarded.length > 0 && (
                <p className="text-down-ink">
                  {t("routing.files.impact.unguarded", { middlewares: say.list(unguarded) })}
                </p>
              )}
              <ul className="text-xs">
                {examples.map((example) => (
                  <li key={example}>
                    <code className="break-all">{example}</code>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** All three, each under its heading. */
export function Effects({
  differences,
  guarded,
  impact,
}: {
  readonly differences: readonly Difference[];
  readonly guarded: readonly Guarded[];
  readonly impact: Impact;
}) {
  const t = useTranslations();
  return (
    <div className="grid items-start gap-3 lg:grid-cols-2">
      <section className="card min-w-0">
        <h2>{t("routing.files.differences")}</h2>
        <Differences differences={differences} />
      </section>
      <div className="grid min-w-0 gap-3">
        {guarded.length > 0 && (
          <section className="card min-w-0">
            <h2>{t("routing.files.guarded.title")}</h2>
            <div className="px-3 py-2.5">
              <GuardedRouters guarded={guarded} />
            </div>
          </section>
        )}
        <section className="card min-w-0">
          <h2>{t("routing.files.impact.title")}</h2>
          <ImpactWords impact={impact} />
        </section>
      </div>
    </div>
  );
}
