"use client";
// One service in the list: a line where there is room, a card on a phone.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { memo, useSyncExternalStore } from "react";
import { useMe } from "@/components/frame/me";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { ServiceRow } from "@/lib/services/contract";
import type { AskedAct } from "./act-dialog";
import { Sparkline } from "./sparkline";
import { type Column, logsAddress, serviceAddress, verdictTone } from "./words";

const wideQuery = "(min-width: 1024px)";
const watchWide = (told: () => void) => {
  const media = matchMedia(wideQuery);
  media.addEventListener("change", told);
  return () => media.removeEventListener("change", told);
};

/** Whether there is room for a line with all its columns. */
export const useWide = (): boolean =>
  useSyncExternalStore(
    watchWide,
    () => matchMedia(wideQuery).matches,
    () => true,
  );

/** "Healthy", or what is wrong; the reasons in words. */
export function ServiceStatus({ row }: { readonly row: ServiceRow }) {
  const t = useTranslations();
  const say = useSay();
  const [reason] = row.reasons;
  return (
    <Status tone={verdictTone[row.verdict]}>
      {reason === undefined
        ? t(`services.verdicts.${row.verdict}`)
        : say.key("services.reasons", reason, { code: row.exitCode ?? 0, count: row.deaths })}
    </Status>
  );
}

/** Bytes in use, against the limit where there is one. */
function Memory({ row }: { readonly row: ServiceRow }) {
  const say = useSay();
  const t = useTranslations();
  if (row.usage === null) return <span className="text-faint">–</span>;
  const { memory, memoryLimit } = row.usage;
  const share = memoryLimit > 0 ? memory / memoryLimit : 0;
  return (
    <span
      className="num flex flex-col gap-0.5"
      title={t("services.ofLimit", { limit: say.bytes(memoryLimit) })}
    >
      <span>
        {say.bytes(memory)}
        {row.memoryLimited && <span className="ml-1.5 text-xs text-mute">{say.percent(share)}</span>}
      </span>
      {row.memoryLimited && (
        <span aria-hidden="true" className="h-1 w-20 overflow-hidden rounded-full bg-line">
          <span
            className={`block h-full ${share > 0.9 ? "bg-warn" : "bg-water"}`}
            style={{ width: `${Math.min(100, share * 100)}%` }}
          />
        </span>
      )}
    </span>
  );
}

function Cpu({ row }: { readonly row: ServiceRow }) {
  const say = useSay();
  const cpu = row.usage?.cpu ?? null;
  return (
    <span className="num flex items-center gap-2">
      <Sparkline values={row.spark} top={Math.min(row.cpuLimit ?? 0.2, 0.2)} />
      <span className="min-w-10 text-right">{cpu === null ? "–" : say.percent(cpu, cpu < 0.1 ? 1 : 0)}</span>
    </span>
  );
}

function Network({ row }: { readonly row: ServiceRow }) {
  const t = useTranslations();
  const say = useSay();
  const { rx = null, tx = null } = row.usage ?? {};
  if (rx === null || tx === null) return <span className="text-faint">–</span>;
  return (
    <span className="num flex flex-col text-xs leading-tight text-mute">
      <span>
        <span aria-hidden="true">↓</span>
        <span className="sr-only">{t("services.received")}</span> {say.bytes(rx)}/s
      </span>
      <span>
        <span aria-hidden="true">↑</span>
        <span className="sr-only">{t("services.sent")}</span> {say.bytes(tx)}/s
      </span>
    </span>
  );
}

function Uptime({ row }: { readonly row: ServiceRow }) {
  const t = useTranslations();
  const say = useSay();
  const at = row.state === "running" ? row.startedAt : row.finishedAt;
  if (at === null) return null;
  const span = say.duration(Math.max(0, Date.now() - Date.parse(at)));
  return (
    <time dateTime={at} title={say.utc(at)} className="num text-mute">
      {row.state === "running" ? span : t("services.ago", { time: span })}
    </time>
  );
}

const Update = ({ row }: { readonly row: ServiceRow }) => {
  const t = useTranslations();
  if (row.update?.state === "newer") return <Status tone="run">{t("services.updateNewer")}</Status>;
  const [newest] = row.update?.tags ?? [];
  if (row.update?.state === "tags" && newest !== undefined)
    return <Status tone="run">{t("services.updateTag", { tag: newest })}</Status>;
  return null;
};

/** "registry.example/team/app:1.2" as its last part; the whole in the title. */
function Image({ row }: { readonly row: ServiceRow }) {
  return (
    <span className="flex min-w-0 flex-col">
      <code className="truncate text-mute" title={row.image}>
        {row.image.startsWith("sha256:") ? row.image.slice(7, 19) : row.image.split("/").at(-1)}
      </code>
      <Update row={row} />
    </span>
  );
}

export const ServiceLine = memo(function ServiceLine({
  row,
  hidden,
  wide,
  onAct,
}: {
  readonly row: ServiceRow;
  readonly hidden: ReadonlySet<Column>;
  readonly wide: boolean;
  readonly onAct: (asked: AskedAct) => void;
}) {
  const t = useTranslations();
  const me = useMe();
  const act =
    row.state === "running" || row.state === "restarting"
      ? "restart"
      : row.state === "paused"
        ? "unpause"
        : "start";
  // A Swarm puts another in a task's place: its service has the acts.
  const button = me.may.operate && row.verdict !== "unknown" && !row.task && (
    <button
      type="button"
      className="btn btn-quiet px-2"
      onClick={() => onAct({ host: row.host, act, target: { by: "containers", ids: [row.id] } })}
    >
      {t(`services.acts.${act}`)}
      <span className="sr-only">{row.name}</span>
    </button>
  );
  const name = (
    <Link data-row className="link min-w-0 truncate font-medium" href={serviceAddress(row)}>
      {row.service ?? row.name}
    </Link>
  );
  const sub = row.service !== null && row.service !== row.name && (
    <span className="min-w-0 truncate text-xs text-mute">{row.name}</span>
  );
  const self = row.self && <span className="text-xs text-mute">{t("services.self")}</span>;
  if (!wide)
    return (
      <div className="grid gap-1.5 border-b border-line px-3 py-2.5">
        <div className="flex items-center gap-2">
          {name}
          {self}
          <span className="ml-auto">
            <ServiceStatus row={row} />
          </span>
        </div>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <Cpu row={row} />
          <Memory row={row} />
        </div>
        <div className="flex items-center gap-2">
          <Uptime row={row} />
          <span className="ml-auto flex">
            <Link className="btn btn-quiet px-2" href={logsAddress([row])}>
              {t("services.logs")}
              <span className="sr-only">{row.name}</span>
            </Link>
            {button}
          </span>
        </div>
      </div>
    );
  return (
    <div className="flex min-h-10 items-center gap-3 border-b border-line px-3 py-0.5 hover:bg-wash">
      <span className="w-36 shrink-0 truncate xl:w-44">
        <ServiceStatus row={row} />
      </span>
      <span className="flex min-w-0 flex-1 basis-36 flex-col">
        <span className="flex min-w-0 items-center gap-2">
          {name}
          {self}
        </span>
        {sub}
      </span>
      {!hidden.has("cpu") && (
        <span className="w-30 shrink-0">
          <Cpu row={row} />
        </span>
      )}
      {!hidden.has("memory") && (
        <span className="w-24 shrink-0">
          <Memory row={row} />
        </span>
      )}
      {!hidden.has("network") && (
        <span className="hidden w-22 shrink-0 xl:block">
          <Network row={row} />
        </span>
      )}
      {!hidden.has("restarts") && (
        <span className="num w-8 shrink-0 text-right text-mute" title={t("services.column.restarts")}>
          {row.restarts > 0 ? `${row.restarts}×` : ""}
        </span>
      )}
      {!hidden.has("uptime") && (
        <span className="w-22 shrink-0 text-right whitespace-nowrap">
          <Uptime row={row} />
        </span>
      )}
      {!hidden.has("image") && (
        <span className="hidden w-32 shrink-0 xl:block">
          <Image row={row} />
        </span>
      )}
      <span className="flex w-46 shrink-0 justify-end whitespace-nowrap">
        <Link className="btn btn-quiet px-2" href={logsAddress([row])}>
          {t("services.logs")}
          <span className="sr-only">{row.name}</span>
        </Link>
        {button}
      </span>
    </div>
  );
});
