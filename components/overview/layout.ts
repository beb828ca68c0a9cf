// Where everything of the river stands: gates in columns from the visitors inwards, bands as high as their requests.
import type { Gate, Layer } from "@/lib/health/contract";

export const columnsInOrder = ["edge", "router", "cache", "web", "app"] as const satisfies readonly Layer[];
export const width = 880;
export const gateWidth = 22;
const top = 104;
const left = 18;
const firstColumn = 150;
const lastColumn = 640;
const storeColumn = 768;
const gateGap = 62;
const storeGap = 66;
const least = 30;
/** Height of the most requests; px. */
const highest = 130;
/** A band of which nobody knows how much it is. */
const unknownHeight = 3;
const thinnest = 2;
const foot = 24;

export type PlacedGate = {
  readonly gate: Gate;
  readonly x: number;
  /** Top of the band's way in, and its height. */
  readonly y: number;
  readonly height: number;
  /** Of the drawn box. */
  readonly boxY: number;
  readonly boxHeight: number;
};
export type Band = {
  readonly key: string;
  readonly path: string;
  /** Requests per second; null where nobody tells. */
  readonly amount: number | null;
  /** A strand within it, where some of it failed. */
  readonly errors: string | null;
};
export type Fall = {
  readonly key: string;
  readonly path: string;
  readonly textX: number;
  readonly textY: number;
  readonly layer: Layer;
  /** Of the whole layer; null on all but the layer's last one. */
  readonly told: { readonly share: number; readonly perSecond: number } | null;
};
export type PlacedStore = { readonly gate: Gate; readonly x: number; readonly y: number };
export type RiverLayout = {
  readonly height: number;
  readonly visitors: number | null;
  readonly gates: readonly PlacedGate[];
  readonly bands: readonly Band[];
  readonly falls: readonly Fall[];
  readonly stores: readonly PlacedStore[];
  readonly threads: readonly { readonly key: string; readonly path: string }[];
};

const total = (gates: readonly Gate[]): number | null => {
  const known = gates.map(({ requests }) => requests).filter((one) => one !== null);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
};
/** What a gate hands on inwards. */
export const passedOn = ({ requests, absorbed }: Gate): number | null =>
  requests === null || absorbed === null ? requests : Math.max(0, requests - absorbed);

const bandPath = (x0: number, y0: number, h0: number, x1: number, y1: number, h1: number): string => {
  const mid = (x0 + x1) / 2;
  const n = (value: number) => value.toFixed(1);
  return `M${n(x0)} ${n(y0)}C${n(mid)} ${n(y0)} ${n(mid)} ${n(y1)} ${n(x1)} ${n(y1)}V${n(y1 + h1)}C${n(mid)} ${n(y1 + h1)} ${n(mid)} ${n(y0 + h0)} ${n(x0)} ${n(y0 + h0)}Z`;
};

/** Places a river of any number of gates. Layers of which nothing is configured are left out. */
export function layoutOf(gates: readonly Gate[]): RiverLayout {
  const columns = columnsInOrder
    .map((layer) => ({ layer, gates: gates.filter((one) => one.layer === layer) }))
    .filter((column) => column.gates.length > 0);
  const most = Math.max(...columns.map((column) => total(column.gates) ?? 0), 0);
  const scaled = (amount: number | null): number =>
    amount === null ? unknownHeight : most === 0 ? thinnest : Math.max(thinnest, (amount / most) * highest);

  // Of a gate that tells nothing, what comes out of it is the least that came in.
  const through = new Map<string, number | null>();
  for (const [index, column] of [...columns.entries()].reverse()) {
    const next = columns[index + 1]?.gates ?? [];
    for (const gate of column.gates) {
      const out = targetsOf(gate, next).map((to) => share(gate, to, column.gates, next));
      const known = out.filter((one) => one !== null);
      const least = known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
      through.set(gate.key, gate.requests ?? least);
    }
  }

  const xOf = (index: number): number =>
    columns.length < 2
      ? firstColumn
      : firstColumn + ((lastColumn - firstColumn) * index) / (columns.length - 1);
  let bottom = top;
  const placed = columns.map((column, index) => {
    let y = top;
    return column.gates.map((gate): PlacedGate => {
      const height = scaled(through.get(gate.key) ?? null);
      const boxHeight = Math.max(least, height + 16);
      const one = {
        gate,
        x: xOf(index),
        y: y + (boxHeight - height) / 2,
        height,
        boxY: y,
        boxHeight,
      };
      y += boxHeight + gateGap;
      bottom = Math.max(bottom, one.boxY + boxHeight);
      return one;
    });
  });

  const bands: Band[] = [];
  const falls: Fall[] = [];
  const first = placed[0] ?? [];
  for (const one of first) {
    bands.push({
      key: `visitors ${one.gate.key}`,
      path: bandPath(left, one.y, one.height, one.x, one.y, one.height),
      amount: one.gate.requests,
      errors: null,
    });
  }
  for (const [index, column] of placed.entries()) {
    const next = placed[index + 1] ?? [];
    const taken = new Map<string, number>();
    for (const from of column) {
      const inner = next.map(({ gate }) => gate);
      const wanted = targetsOf(from.gate, inner);
      let y = from.y;
      for (const to of next.filter(({ gate }) => wanted.includes(gate))) {
        const amount = share(
          from.gate,
          to.gate,
          column.map(({ gate }) => gate),
          inner,
        );
        const there = taken.get(to.gate.key) ?? 0;
        const height = Math.min(scaled(amount), Math.max(thinnest, to.height - there));
        const path = bandPath(from.x + gateWidth, y, scaled(amount), to.x, to.y + there, height);
        const failed = from.gate.errors;
        const strand =
          failed === null || failed <= 0 || amount === null ? 0 : Math.max(1.5, failed * scaled(amount));
        bands.push({
          key: `${from.gate.key} ${to.gate.key}`,
          path,
          amount,
          errors:
            strand === 0
              ? null
              : bandPath(
                  from.x + gateWidth,
                  y + scaled(amount) - strand,
                  strand,
                  to.x,
                  to.y + there + height - strand,
                  strand,
                ),
        });
        taken.set(to.gate.key, there + height);
        y += scaled(amount);
      }
      const { requests } = from.gate;
      if (from.gate.absorbed === null || requests === null) continue;
      // Two counters read one after the other: a cache may seem to have served more than it was asked.
      const absorbed = Math.min(from.gate.absorbed, requests);
      if (absorbed <= 0 || most === 0) continue;
      const height = (absorbed / most) * highest;
      if (height < 1) continue;
      const x = from.x + gateWidth;
      const fallY = from.y + scaled(passedOn(from.gate));
      const reach = height + 14;
      const isLast = from === column.at(-1);
      // Another gate stands below the others.
      const end = fallY + reach + (isLast ? 62 : 8);
      falls.push({
        key: from.gate.key,
        layer: from.gate.layer,
        path: `M${x} ${fallY}C${x + reach * 0.62} ${fallY} ${x + reach} ${fallY + reach * 0.38} ${x + reach} ${fallY + reach}V${end}H${x + 14}V${fallY + reach}C${x + 14} ${fallY + height + 6} ${x + 8} ${fallY + height} ${x} ${fallY + height}Z`,
        textX: x + reach + 8,
        textY: end - 22,
        told: isLast ? absorbedBy(column.map(({ gate }) => gate)) : null,
      });
      bottom = Math.max(bottom, end);
    }
  }

  const stores = gates
    .filter(({ layer }) => layer === "store")
    .map((gate, index) => ({ gate, x: storeColumn, y: top - 34 + index * storeGap }));
  for (const { y } of stores) bottom = Math.max(bottom, y + 24);
  const last = placed.at(-1) ?? [];
  const threads = last.flatMap((from) =>
    stores
      .filter(({ gate }) => from.gate.dependsOn.length === 0 || from.gate.dependsOn.includes(gate.key))
      .map((to) => {
        const x = from.x + gateWidth;
        const y = from.boxY + from.boxHeight / 2;
        const mid = (x + to.x) / 2;
        return {
          key: `${from.gate.key} ${to.gate.key}`,
          path: `M${x} ${y}C${mid} ${y} ${mid} ${to.y} ${to.x - 12} ${to.y}`,
        };
      }),
  );
  return {
    height: bottom + foot,
    visitors: total(first.map(({ gate }) => gate)),
    gates: placed.flat(),
    bands,
    falls,
    stores,
    threads,
  };
}

/** Where a gate leads: what it depends on in the next column, or all of it where it names none. */
function targetsOf(from: Gate, next: readonly Gate[]): readonly Gate[] {
  const named = next.filter(({ key }) => from.dependsOn.includes(key));
  return named.length > 0 ? named : next;
}

/** What goes from one gate to another: what the inner one gets, shared among those who hand it on. */
function share(from: Gate, to: Gate, column: readonly Gate[], next: readonly Gate[]): number | null {
  const passed = passedOn(from);
  if (to.requests === null) {
    // Alike, where none of those inside tells; beside one that does, how much the others get is nobody's guess.
    const inside = targetsOf(from, next);
    return passed === null || inside.some(({ requests }) => requests !== null)
      ? null
      : passed / inside.length;
  }
  const sources = column.filter((one) => targetsOf(one, next).includes(to));
  const all = sources.map(passedOn);
  const sum = all.reduce<number>((whole, one) => whole + (one ?? 0), 0);
  // Nobody outside knows what it hands on: alike.
  if (all.some((one) => one === null)) return to.requests / Math.max(1, sources.length);
  // They say that they hand on nothing: all of it came by another way, or their figures are of some minutes ago.
  if (sum === 0) return 0;
  // What the inner one gets besides came by another way (probes, a back office): not from here.
  return Math.min(passed ?? 0, (to.requests * (passed ?? 0)) / sum);
}

/** A layer that nobody but probes asks serves no share of anything. */
const leastToldPerS = 0.05;

function absorbedBy(gates: readonly Gate[]): { share: number; perSecond: number } | null {
  const known = gates.filter((one) => one.requests !== null && one.absorbed !== null);
  const requests = known.reduce((sum, one) => sum + (one.requests ?? 0), 0);
  const perSecond = known.reduce((sum, one) => sum + Math.min(one.absorbed ?? 0, one.requests ?? 0), 0);
  return requests < leastToldPerS ? null : { share: perSecond / requests, perSecond };
}
