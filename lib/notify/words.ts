// Notices in words: title, lines and link, in the channel's language and time zone; and as mail.
import { createFormatter, createTranslator } from "next-intl";
import en from "@/messages/en.json";
import fr from "@/messages/fr.json";
import type { ChangeRow } from "../changes/contract";
import type { ToldProblem } from "../errors/contract";
import type { Locale } from "../i18n/locales";
import { type IncidentRow, isNamedByCause, othersOf, type Suspect } from "../incidents/contract";
import type { Words } from "../systems/notices/notices";
import type { Mail } from "../systems/smtp/smtp";
import type { NoticeEvent } from "./contract";

export type Reader = { readonly language: Locale; readonly time_zone: string };
export type Notice = {
  readonly event: NoticeEvent;
  readonly incident: IncidentRow | null;
  /** Why its cause fails. */
  readonly problem: ToldProblem | null;
  /** The change before it that most likely is why. */
  readonly suspect: Suspect | null;
  readonly change: ChangeRow | null;
  readonly channel: string;
};

const messages = { en, fr };
/** Keys are put together here (problems.*, kinds.*): checked by `has`, not by types. */
type Say = {
  (key: string, values?: Record<string, string | number>): string;
  has(key: string): boolean;
};

export function speakerOf({ language, time_zone }: Reader) {
  const t = createTranslator({
    locale: language,
    messages: messages[language],
    timeZone: time_zone,
  }) as unknown as Say;
  const format = createFormatter({ locale: language, timeZone: time_zone });
  const list = (words: readonly string[]) => format.list(words, { type: "conjunction" });
  return {
    t,
    list,
    time: (iso: string) =>
      format.dateTime(new Date(iso), {
        day: "numeric",
        month: "short",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
        hourCycle: "h23",
        timeZoneName: "short",
      }),
    lasting: (ms: number) =>
      ms < 120_000
        ? t("notices.seconds", { count: Math.max(1, Math.round(ms / 1000)) })
        : t("notices.minutes", { count: Math.round(ms / 60_000) }),
    kind: (kind: string) => {
      const key = `kinds.${kind.replaceAll(".", "-")}`;
      return t.has(key) ? t(key) : kind;
    },
    problem: ({ problem, params }: ToldProblem) => {
      const key = `problems.${problem}`;
      return t.has(key) ? t(key, { ...params }) : problem;
    },
  };
}
type Speaker = ReturnType<typeof speakerOf>;

function incidentWords(say: Speaker, notice: Notice, incident: IncidentRow): Omit<Words, "link"> {
  const { t } = say;
  const { event, problem, suspect } = notice;
  const name = incident.title;
  // Else its title is somebody's, or an alert's, own words.
  const named = isNamedByCause(incident);
  const others = othersOf(incident);
  const because = (["becauseOfIt", "besideIt"] as const)
    .filter((how) => others[how].length > 0)
    .map((how) => t(`overview.${how}`, { names: say.list(others[how]) }));
  const tickets = incident.tickets.map(({ key, url }) => t("notices.ticket", { key, url }));
  const since = t("overview.since", { time: say.time(incident.openedAt) });
  switch (event) {
    case "closed":
      return {
        // Somebody may close what is not well; of what is not watched any more nobody knows.
        title: t(named && incident.closedBy === "probe" ? "notices.well" : "notices.closed", { name }),
        lines: [
          `${since}, ${t("incidents.lasted", {
            time: say.lasting(
              Date.parse(incident.closedAt ?? incident.openedAt) - Date.parse(incident.openedAt),
            ),
          })}`,
          ...because,
          ...tickets,
        ],
        tone: incident.closedBy === "probe" || incident.closedBy === "alert" ? "good" : "info",
      };
    case "acknowledged":
      return {
        title: t("notices.acknowledged", { name, who: incident.acknowledgedBy ?? "" }),
        lines: [since, ...because, ...tickets],
        tone: "info",
      };
    default:
      return {
        title: named ? t(event === "reopened" ? "notices.again" : "incidents.isDown", { name }) : name,
        lines: [
          since,
          ...(problem === null ? [] : [say.problem(problem)]),
          ...because,
          ...(suspect === null
            ? []
            : [
                t("notices.suspect", {
                  what: `${say.kind(suspect.change.kind)} ${suspect.change.title}`,
                  who: suspect.change.actor.name,
                  time: say.lasting(suspect.minutesBefore * 60_000),
                }),
              ]),
          ...tickets,
        ],
        tone: incident.severity === "critical" ? "bad" : "warning",
      };
  }
}

/** What one channel is told. `base`: Sluice's own address. */
export function wordsOf(notice: Notice, reader: Reader, base: string | undefined): Words {
  const say = speakerOf(reader);
  const link = (path: string) =>
    base === undefined ? null : { url: `${base}${path}`, text: say.t("notices.look") };
  const { incident, change } = notice;
  if (incident !== null)
    return { ...incidentWords(say, notice, incident), link: link(`/incidents/${incident.id}`) };
  if (change !== null) {
    const outcome = change.outcome ?? change.state;
    const word = [`outcomes.${outcome}`, `states.${change.state}`].find((key) => say.t.has(key));
    return {
      title: `${say.kind(change.kind)} ${change.title}: ${word === undefined ? outcome : say.t(word)}`,
      lines: [
        say.t("notices.by", { who: change.actor.name }),
        ...(change.reason === null ? [] : [change.reason]),
        ...(change.error === null ? [] : [change.error.message]),
      ],
      link: link(`/history/${change.id}`),
      tone: change.state === "done" ? "good" : "bad",
    };
  }
  return {
    title: say.t("notices.test", { channel: notice.channel }),
    lines: [say.t("notices.testText")],
    link: link("/incidents/notices"),
    tone: "info",
  };
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const colours = { bad: "#b3261e", warning: "#9a6200", good: "#1e7d45", info: "#1c5f8a" } as const;

/** Words as mail: plain text, and HTML that needs no picture and no style sheet. */
export function mailOf(words: Words, language: Locale): Pick<Mail, "subject" | "text" | "html"> {
  const { title, lines, link, tone } = words;
  // A line end would begin another header.
  const subject = title.replace(/\s+/g, " ");
  const text = [title, "", ...lines, ...(link === null ? [] : ["", `${link.text}: ${link.url}`]), ""].join(
    "\n",
  );
  const html = `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escaped(title)}</title></head>
<body style="margin:0;padding:24px;font:15px/1.5 system-ui,sans-serif">
<div style="max-width:560px;border-left:4px solid ${colours[tone]};padding:4px 16px">
<h1 style="font-size:18px;margin:0 0 8px">${escaped(title)}</h1>
${lines.map((line) => `<p style="margin:0 0 6px">${escaped(line)}</p>`).join("\n")}
${link === null ? "" : `<p style="margin:14px 0 0"><a href="${escaped(link.url)}">${escaped(link.text)}</a></p>`}
</div></body></html>
`;
  return { subject, text, html };
}
