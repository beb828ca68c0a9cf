"use client";
// A plan in full: what each layer and node gets and has now, and object by object. Loaded when it is asked for.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status } from "@/components/ui/status";
import type { Cached, PurgePlan } from "@/lib/purge/contract";
import { cachedNow } from "./words";

/** What a cache holds of one object, in a few words. */
export function CachedWords({ cached }: { readonly cached: Cached }) {
  const t = useTranslations();
  const say = useSay();
  if (cached.state === "miss") return <span className="text-mute">{t("cached.miss")}</span>;
  if (cached.state === "unknown") {
    return (
      <Status tone="unknown" size={13}>
        <span title={cached.why}>{t("cached.unknown")}</span>
      </Status>
    );
  }
  const facts = [
    cached.ageS === null ? null : t("cached.age", { age: say.duration(cached.ageS * 1000) }),
    cached.hits === null ? null : t("cached.hits", { count: cached.hits }),
    cached.revision === null ? null : t("cached.revision", { revision: cached.revision }),
  ].filter((fact) => fact !== null);
  return (
    <span className="num">
      {t("cached.hit")}
      {facts.length > 0 && <span className="block text-xs text-mute">{facts.join(", ")}</span>}
    </span>
  );
}

/** An object's address or name in monospace, and what it is. */
export function ObjectName({ object }: { readonly object: PurgePlan["objects"][number] }) {
  const t = useTranslations();
  const name =
    object.type === "url" || object.type === "prefix" || object.type === "regex"
      ? `${object.host}${object.value}${object.type === "prefix" ? "*" : ""}`
      : object.type === "tag"
        ? `${t("objects.tag")} ${object.value}`
        : object.type === "host"
          ? object.host
          : t("objects.all");
  return <code className="break-all">{name}</code>;
}

export function useObjectLabel() {
  const t = useTranslations();
  return (label: string) => (t.has(`labels.${label}`) ? t(`labels.${label}`) : label);
}

export function PlanDetail({ plan, plain }: { readonly plan: PurgePlan; readonly plain: boolean }) {
  const t = useTranslations();
  const say = useSay();
  const label = useObjectLabel();
  const listed = plan.objects.length;
  const single = listed > 0 && listed <= 12 && plan.layers.some((layer) => layer.now.length > 0);
  return (
    <div className="grid gap-4 text-sm text-ink">
      {!plain && (
        <section className="card">
          <h2>{t("plan.layers")}</h2>
          <Scroll label={t("plan.layers")} className="">
            <table className="table num">
              <thead>
                <tr>
                  <th scope="col">{t("plan.layer")}</th>
                  <th scope="col">{t("plan.gets")}</th>
                  <th scope="col">{t("plan.now")}</th>
                  <th scope="col">{t("plan.wait")}</th>
                </tr>
              </thead>
              <tbody>
                {plan.layers.map((layer) => {
                  const now = cachedNow(layer);
                  const looked = now.hit + now.miss + now.unknown;
                  return (
                    <tr key={`${layer.layer}/${layer.system}`}>
                      <td>
                        <b className="font-semibold">{layer.system}</b>
                        <span className="block text-xs text-mute">{t(`layers.${layer.layer}`)}</span>
                      </td>
                      <td>{t("plan.operations", { count: layer.operations })}</td>
                      <td>
                        {layer.error !== null ? (
                          <Status tone="warn">{say.key("errors", layer.error)}</Status>
                        ) : looked === 0 ? (
                          <span className="text-mute">{t("plan.notLooked")}</span>
                        ) : (
                          t("plan.cachedOf", { hit: now.hit, of: looked, unknown: now.unknown })
                        )}
                      </td>
                      <td>
                        {layer.waitMs === null || layer.waitMs === 0
                          ? t("plan.noWait")
                          : say.duration(layer.waitMs)}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </Scroll>
        </section>
      )}
      <section className="card">
        <h2>{t("plan.objects", { count: plan.objectCount })}</h2>
        <ul>
          {plan.objects.map((object, index) => (
            <li key={`${object.type} ${object.host} ${object.value}`} className="row flex-wrap">
              <ObjectName object={object} />
              <small className="ml-auto text-xs text-mute">{label(object.label)}</small>
              {!plain && single && (
                <ul className="grid w-full grid-cols-[repeat(auto-fill,minmax(150px,1fr))] gap-x-4 gap-y-1 pt-1 text-xs">
                  {plan.layers.map((layer) => {
                    const found = layer.now.find((now) => now.object === index);
                    return found ? (
                      <li key={`${layer.layer}/${layer.system}`}>
                        <span className="text-mute">{layer.system}</span>{" "}
                        <CachedWords cached={found.cached} />
                      </li>
                    ) : null;
                  })}
                </ul>
              )}
            </li>
          ))}
          {plan.objectCount > listed && (
            <li className="row text-mute">{t("plan.more", { count: plan.objectCount - listed })}</li>
          )}
        </ul>
      </section>
      {!plain && (
        <p className="text-mute">{t("plan.secondPass", { time: say.duration(plan.secondPassMs) })}</p>
      )}
    </div>
  );
}
