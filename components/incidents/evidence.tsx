// What was seen at one moment of an incident: what its components told last, what they were busy with, their containers' last lines.
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { partsOf, stateTone } from "@/components/overview/words";
import { LastLines } from "@/components/services/last-lines";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status } from "@/components/ui/status";
import { healthStates } from "@/lib/health/contract";
import type { IncidentEvidence } from "@/lib/incidents/contract";

type Snapshot = IncidentEvidence["snapshots"][number];

/** Older than this is said to be of before. */
const freshMs = 15_000;

function Fold({ summary, children }: { readonly summary: ReactNode; readonly children: ReactNode }) {
  return (
    <details className="group border-t border-line first-of-type:border-0">
      <summary className="tap flex flex-wrap items-center gap-2 px-3 py-2 hover:bg-wash">
        <span aria-hidden="true" className="text-mute group-open:rotate-90">
          ▸
        </span>
        {summary}
      </summary>
      {children}
    </details>
  );
}

function Facts({ of, at }: { readonly of: IncidentEvidence["components"][number]; readonly at: string }) {
  const t = useTranslations();
  const say = useSay();
  const state = healthStates.find((one) => one === of.state) ?? "unknown";
  const facts = Object.entries(of.facts);
  const old = of.factsAt !== null && Date.parse(at) - Date.parse(of.factsAt) > freshMs;
  return (
    <Fold
      summary={
        <>
          <b className="font-medium">{partsOf(of.component).name}</b>
          <Status tone={stateTone[state]}>{t(`overview.states.${state}`)}</Status>
        </>
      }
    >
      <div className="px-3 pb-2">
        {facts.length === 0 && <p className="text-mute">{t("incidents.noFacts")}</p>}
        {old && of.factsAt !== null && (
          <p className="mb-1 text-mute">{t("incidents.toldAt", { time: say.time(of.factsAt) })}</p>
        )}
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5">
          {facts.map(([key, value]) => (
            <div key={key} className="contents">
              <dt className="text-mute">{say.key("facts", key)}</dt>
              <dd className="num break-words">{say.fact(key, value)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Fold>
  );
}

function Table({ of, label }: { readonly of: Snapshot; readonly label: string }) {
  const t = useTranslations();
  const say = useSay();
  const words = (column: string, value: string | number | null): string => {
    if (value === null || value === "") return "–";
    if (typeof value === "number") return say.number(value, 3);
    return column === "at" ? say.time(value) : value;
  };
  return (
    <Scroll label={label} className="max-h-96 overflow-y-auto border-t border-line">
      <table className="table num text-xs">
        <thead>
          <tr>
            {of.columns.map((column) => (
              <th key={column} scope="col">
                {say.key("snapshots.columns", column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what was seen never changes
            <tr key={index}>
              {of.columns.map((column, at) => (
                <td
                  key={column}
                  className={
                    column === "statement" || column === "command"
                      ? "min-w-72 font-mono break-words"
                      : "whitespace-nowrap"
                  }
                >
                  {words(column, row[at] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {of.more > 0 && <p className="px-3 py-2 text-mute">{t("snapshots.more", { count: of.more })}</p>}
    </Scroll>
  );
}

function SnapshotFold({ of }: { readonly of: Snapshot }) {
  const t = useTranslations();
  const say = useSay();
  const title = t(`snapshots.kinds.${of.kind}`, { name: partsOf(of.component).name });
  return (
    <Fold
      summary={
        <>
          <span>{title}</span>
          <span className="num text-mute">
            {of.problem === null
              ? t("snapshots.rows", { count: of.rows.length + of.more })
              : t("snapshots.none")}
          </span>
        </>
      }
    >
      {of.problem !== null && (
        <p className="px-3 pb-2 text-mute">{say.key("problems", of.problem.problem, of.problem.params)}</p>
      )}
      {of.problem === null && of.rows.length > 0 && <Table of={of} label={title} />}
    </Fold>
  );
}

export function Evidence({ evidence }: { readonly evidence: IncidentEvidence }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <section className="card min-w-0">
      <h2>{t("incidents.evidence", { time: say.time(evidence.at) })}</h2>
      {evidence.components.map((one) => (
        <Facts key={one.component} of={one} at={evidence.at} />
      ))}
      {evidence.snapshots.map((one) => (
        <SnapshotFold key={`${one.component} ${one.kind}`} of={one} />
      ))}
      {evidence.logs.map(({ container, lines }) => (
        <Fold key={container} summary={t("incidents.lastLines", { name: container })}>
          <LastLines lines={lines} label={t("incidents.lastLines", { name: container })} />
        </Fold>
      ))}
    </section>
  );
}
