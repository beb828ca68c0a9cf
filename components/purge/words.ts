// From a plan or a proof to what an editor is told: pure, so that each sentence can be tested.
import type { LayerKind, PurgePlan, PurgeProof } from "@/lib/purge/contract";

/** Labels the messages have words for; any other is a rule's own word. */
const knownLabels = ["data", "sibling", "slash", "list", "tag", "encoding"] as const;
export type Related = {
  readonly label: (typeof knownLabels)[number] | "other";
  readonly count: number;
  readonly language: string | null;
};

/** "/en/events" -> "en"; null where the path does not begin with a language. */
export function languageOf(path: string): string | null {
  return /^\/([a-z]{2})(?:[-_][A-Za-z]{2})?(?:[/?#]|$)/.exec(path)?.[1] ?? null;
}

/** What is purged along with the page, by kind, in the plan's order. Data is one thing for an editor, however it is spelt. */
export function relatedTo(plan: PurgePlan): readonly Related[] {
  const found = new Map<string, { label: Related["label"]; count: number; language: string | null }>();
  for (const object of plan.objects) {
    if (object.label === "page") continue;
    const label = knownLabels.find((known) => known === object.label) ?? "other";
    const language = label === "sibling" ? languageOf(object.value) : null;
    const key = `${label} ${language ?? ""}`;
    const known = found.get(key);
    if (known) known.count += 1;
    else found.set(key, { label, count: 1, language });
  }
  return [...found.values()];
}

/** How many objects a plan purges beside the page itself. */
export function relatedCount(plan: PurgePlan): number {
  return Math.max(0, plan.objectCount - plan.pages);
}

export type LayerAnswer = {
  readonly layer: LayerKind;
  readonly systems: number;
  readonly fresh: number;
  readonly waiting: number;
  readonly verdict: "fresh" | "stale" | "unknown" | "waiting";
};

/** One line per kind of layer: an editor does not know nodes. The worst node speaks for all. */
export function answersByLayer(proof: PurgeProof): readonly LayerAnswer[] {
  const kinds = [...new Set(proof.layers.map((layer) => layer.layer))];
  return kinds.map((kind) => {
    const nodes = proof.layers.filter((layer) => layer.layer === kind);
    const waiting = nodes.reduce((sum, node) => sum + node.waiting, 0);
    const fresh = nodes.filter((node) => node.verdict === "fresh").length;
    const verdict = nodes.some((node) => node.verdict === "stale")
      ? "stale"
      : waiting > 0
        ? "waiting"
        : fresh === nodes.length
          ? "fresh"
          : "unknown";
    return { layer: kind, systems: nodes.length, fresh, waiting, verdict };
  });
}

export type CachedNow = { readonly hit: number; readonly miss: number; readonly unknown: number };

/** How much of a plan's objects a layer has now. */
export function cachedNow(layer: PurgePlan["layers"][number]): CachedNow {
  const count = { hit: 0, miss: 0, unknown: 0 };
  for (const { cached } of layer.now) count[cached.state] += 1;
  return count;
}

/** The lines of a pasted text that are not empty, each with its number from 1. */
export function pastedLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
}

/** Where the bars of a proof's time line stand, as percentages of its length. */
export function timeline(proof: PurgeProof): { readonly totalMs: number; readonly ticks: readonly number[] } {
  const end = Math.max(0, ...proof.layers.flatMap((layer) => layer.spans.map((span) => span.to)));
  const totalMs = Math.max(end, 1);
  return { totalMs, ticks: [0, totalMs / 2, totalMs] };
}

/** The whole allowance of Cloudflare that a plan waits for, ms; null when it waits for none. */
export function longestWait(plan: PurgePlan): number | null {
  const waits = plan.layers.map((layer) => layer.waitMs ?? 0);
  const longest = Math.max(0, ...waits);
  return longest > 0 ? longest : null;
}

/** The bookmark that opens /purge with the page one is on. */
export function bookmarklet(origin: string): string {
  return `javascript:void open(${JSON.stringify(`${origin}/purge?origin=bookmarklet&url=`)}+encodeURIComponent(location.href))`;
}
