"use client";
// What could be deployed, and what it would change: the same for a container and for a Swarm's service.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { DeployChoices, DeployPlan, ImageTarget } from "@/lib/services/deploy/contract";
import { shortImage, unpinned } from "./words";

type Choices = Omit<DeployChoices, "earlier">;
const shown = 5;

/** For a field's `list`. */
export function TagList({ id, choices }: { readonly id: string; readonly choices: Choices | undefined }) {
  return (
    <datalist id={id}>
      {choices?.tags.map((tag) => (
        <option key={tag} value={`${choices.image}:${tag}`} />
      ))}
    </datalist>
  );
}

export function ImageChoices({
  choices,
  onTag,
  earlier,
}: {
  readonly choices: Choices;
  readonly onTag: (image: string) => void;
  readonly earlier: readonly {
    readonly key: string | number;
    readonly image: string;
    readonly at: string;
    readonly choose: () => void;
  }[];
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <div className="grid gap-2">
      {choices.newer.length > 0 && (
        <p className="flex flex-wrap items-center gap-2">
          <span className="text-mute">{t("deploy.newer")}</span>
          {choices.newer.slice(0, shown).map((tag) => (
            <button key={tag} type="button" className="btn" onClick={() => onTag(`${choices.image}:${tag}`)}>
              {tag}
            </button>
          ))}
        </p>
      )}
      {earlier.length > 0 && (
        <p className="flex flex-wrap items-center gap-2">
          <span className="text-mute">{t("deploy.earlier")}</span>
          {earlier.slice(0, shown).map((one) => (
            <button key={one.key} type="button" className="btn" title={one.image} onClick={one.choose}>
              {shortImage(one.image)} <span className="text-mute">{say.time(one.at)}</span>
            </button>
          ))}
        </p>
      )}
      {choices.problem !== null && (
        <p className="text-mute">
          {t("deploy.noTags")} {say.key("problems", choices.problem.problem, choices.problem.params)}
        </p>
      )}
    </div>
  );
}

/** What another image changes, in words. */
export function ImageDifference({
  from,
  fromId,
  to,
  env,
  labels,
}: Pick<DeployPlan, "env" | "labels"> & {
  readonly from: string;
  /** Of the image that runs; of a Swarm's service its name has the digest. */
  readonly fromId: string | null;
  readonly to: ImageTarget;
}) {
  const t = useTranslations();
  const say = useSay();
  const names = (all: DeployPlan["env"], what: string) =>
    (all ?? []).filter((one) => one.what === what).map(({ name }) => name);
  const line = (label: string, all: DeployPlan["env"]) => (
    <div className="row">
      <dt className="w-28 shrink-0 text-mute">{label}</dt>
      <dd className="min-w-0 flex-1">
        {all === null && t("deploy.notKnown")}
        {all?.length === 0 && t("deploy.noChange")}
        {(["added", "changed", "removed"] as const).map((what) => {
          const some = names(all, what);
          return (
            some.length > 0 && (
              <span key={what} className="block">
                {t(`deploy.${what}`)} <code>{some.join(", ")}</code>
              </span>
            )
          );
        })}
      </dd>
    </div>
  );
  return (
    <dl className="card text-ink">
      <div className="row">
        <dt className="w-28 shrink-0 text-mute">{t("deploy.from")}</dt>
        <dd className="min-w-0 flex-1">
          <code title={from}>{unpinned(from)}</code>{" "}
          <code className="text-mute">{(fromId ?? from.split("@")[1])?.slice(7, 19)}</code>
        </dd>
      </div>
      <div className="row">
        <dt className="w-28 shrink-0 text-mute">{t("deploy.to")}</dt>
        <dd className="min-w-0 flex-1">
          <code>{to.image}</code>{" "}
          <code className="text-mute">{(to.imageId ?? to.digest ?? "").slice(7, 19)}</code>
          <span className="block text-mute">
            {[
              to.createdAt === null ? null : t("deploy.made", { date: say.date(to.createdAt) }),
              to.size === null ? null : say.bytes(to.size),
              to.local ? t("deploy.local") : t("deploy.pulled"),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
          {to.imageId !== null && to.imageId === fromId && <Status tone="warn">{t("deploy.same")}</Status>}
        </dd>
      </div>
      {line(t("services.env"), env)}
      {line(t("deploy.labels"), labels)}
    </dl>
  );
}
