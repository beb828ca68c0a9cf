// What a running purge has done so far, layer by layer: what apply saw and verify judges.
import type { AppError } from "@/lib/errors/app-error";
import { singleton } from "@/lib/runtime/singleton";
import type { Cached, LayerKind, PurgeProof } from "./contract";

export type Span = PurgeProof["layers"][number]["spans"][number];

export type LayerState = {
  readonly layer: LayerKind;
  readonly system: string;
  /** Orders carried out, refused or failed for good, and left for the outbox. */
  purged: number;
  failed: number;
  waiting: number;
  /** Objects the layer says it removed; null when it does not say. */
  removed: number | null;
  /** Objects that only the second pass removed: an answer that was under way during the first. */
  caughtAgain: number;
  error: AppError | null;
  readonly spans: Span[];
  /** When the last purge of it ended, UTC ms. */
  purgedAt: number | null;
};

export type RunState = {
  /** When the change was asked for, UTC ms: zero of the time line. */
  readonly startedAt: number;
  readonly layers: LayerState[];
  /** Nodes that gave no answer in this run: everything for them goes to the outbox. */
  readonly down: Set<string>;
  /** Pages to look at where the purge names none (tag, prefix, site). */
  sample: { site: string; host: string; key: string }[];
  /** What each node had of a page just before the second pass: "node host/path" to its revision. */
  readonly between: Map<string, string>;
  /** What each system had of the first page before the purge. */
  before: Map<string, Cached>;
  warmed: PurgeProof["warmed"];
};

const states = () => singleton("purge.runs", () => new Map<number, RunState>());

export function newRun(changeId: number, startedAt: number): RunState {
  const state: RunState = {
    startedAt,
    layers: [],
    down: new Set(),
    sample: [],
    between: new Map(),
    before: new Map(),
    warmed: null,
  };
  states().set(changeId, state);
  return state;
}

export const runOf = (changeId: number): RunState | undefined => states().get(changeId);
export const forgetRun = (changeId: number): void => {
  states().delete(changeId);
};

/** The state of one system in a run, made at the first call. */
export function layerState(run: RunState, layer: LayerKind, system: string): LayerState {
  const known = run.layers.find((one) => one.layer === layer && one.system === system);
  if (known) return known;
  const made: LayerState = {
    layer,
    system,
    purged: 0,
    failed: 0,
    waiting: 0,
    removed: null,
    caughtAgain: 0,
    error: null,
    spans: [],
    purgedAt: null,
  };
  run.layers.push(made);
  return made;
}

/** Runs `act` and notes its span; neighbouring spans of the same sort become one. */
export async function timed<T>(
  run: RunState,
  layer: LayerState,
  what: Span["what"],
  act: () => Promise<T>,
): Promise<T> {
  const from = Date.now() - run.startedAt;
  try {
    return await act();
  } finally {
    const to = Date.now() - run.startedAt;
    const last = layer.spans.at(-1);
    if (last?.what === what) last.to = to;
    else layer.spans.push({ what, from, to });
  }
}
