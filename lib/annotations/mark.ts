// A change as it is marked in Grafana.
import type { ChangeRow } from "../changes/contract";
import type { Annotation } from "../systems/grafana/annotations";

/** By which a change's mark is found again. */
export const tagOf = (id: number): string => `sluice-change-${id}`;

/** Whether changes of this kind are marked: a group ("swarm") stands for all of its kinds. */
export const isMarked = (kind: string, annotate: readonly string[] | undefined): boolean =>
  annotate === undefined || annotate.some((one) => kind === one || kind.startsWith(`${one}.`));

/** How a change stands, in its own words: "running", "done, fresh". A mark is written anew when it is another. */
export const verdictOf = ({ state, outcome }: Pick<ChangeRow, "state" | "outcome">): string =>
  outcome === null || outcome === state ? state : `${state}, ${outcome}`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`).slice(0, 500);

/** `base`: Sluice's own address. Words of the trade only: whoever reads it may speak any language. */
export function markOf(change: ChangeRow, base: string): Annotation {
  const { id, kind, title, site, actor, startedAt, createdAt, finishedAt } = change;
  const verdict = verdictOf(change);
  return {
    time: Date.parse(startedAt ?? createdAt),
    timeEnd: finishedAt === null ? undefined : Date.parse(finishedAt),
    tags: ["sluice", kind, tagOf(id), ...verdict.split(", "), ...(site === null ? [] : [site])],
    text: `${escaped(kind)}: ${escaped(title)} (${escaped(actor.name)}) → ${escaped(verdict)} · <a href="${escaped(`${base}/history/${id}`)}">${id}</a>`,
  };
}
