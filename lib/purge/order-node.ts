// Carries out orders on one Varnish node and sorts them into done, refused and owed.
import { setMaxListeners } from "node:events";
import { AppError } from "@/lib/errors/app-error";
import { addBan } from "@/lib/systems/varnish/cli";
import { ban, type PurgeOutcome, purgeTags, purgeUrls } from "@/lib/systems/varnish/http";
import { nodeAnswered, nodeFailed } from "./nodes";
import { sizeOfOrder, type VarnishOrder } from "./operations";
import type { VarnishCache } from "./stack";

export type NodeResult = {
  /** Orders carried out, counted by `sizeOfOrder`. */
  done: number;
  /** Objects removed, null when the node did not say. */
  removed: number | null;
  /** Refused for good: sending them again would be refused again. */
  refused: number;
  /** Not carried out because the node gave no answer. */
  readonly owed: VarnishOrder[];
  error: AppError | null;
};

const atOnce = 8;

/** Gave no answer, or one of its own failure: it may take the same order later. */
const passing = (error: AppError): boolean =>
  error.code === "UNREACHABLE" || error.code === "TIMEOUT" || error.detail.problem === "varnish.answer";

/** `plain` nodes know PURGE of one address; everything at once can be banned on their CLI. */
async function banOn(
  node: VarnishCache,
  order: Extract<VarnishOrder, { do: "ban" | "all" }>,
  signal: AbortSignal,
): Promise<PurgeOutcome> {
  if (node.vcl === "plain" && order.do === "all" && (node.admin ?? node.admin_listen) !== undefined) {
    try {
      await addBan(node, [{ field: "obj.status", operator: "!=", value: "0" }], signal);
      return { ok: true, count: null, boot: null };
    } catch (error) {
      if (error instanceof AppError) return { ok: false, error };
      throw error;
    }
  }
  return ban(
    node,
    order.do === "all"
      ? { all: true }
      : { host: order.host, ...(order.regex === undefined ? {} : { regex: order.regex }) },
    signal,
  );
}

/**
 * Sends orders, addresses several at a time. The first time the node gives no answer the rest is owed, unsent: every further
 * try would cost another time-out. An aborted signal leaves the rest unsent too, but not owed.
 */
export async function orderNode(
  node: VarnishCache,
  orders: readonly VarnishOrder[],
  signal: AbortSignal,
): Promise<NodeResult> {
  const result: NodeResult = { done: 0, removed: 0, refused: 0, owed: [], error: null };
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, both);
  const pending = new Set(orders);
  const take = (order: VarnishOrder, outcome: PurgeOutcome) => {
    if (outcome.ok) {
      pending.delete(order);
      result.done += sizeOfOrder(order);
      result.removed =
        result.removed === null || outcome.count === null ? null : result.removed + outcome.count;
      nodeAnswered(node.name, outcome.boot);
    } else if (outcome.error.code === "CANCELLED") {
      // Neither done nor refused: still pending.
    } else if (passing(outcome.error)) {
      result.error = outcome.error;
      nodeFailed(node.name);
      stop.abort();
    } else {
      pending.delete(order);
      result.refused += sizeOfOrder(order);
      result.error ??= outcome.error;
    }
  };
  const urls = orders.filter((order) => order.do === "url");
  await purgeUrls(
    node,
    urls,
    (index, outcome) => {
      const order = urls[index];
      if (order) take(order, outcome);
    },
    { signal: both, atOnce },
  );
  for (const order of orders) {
    if (order.do === "url") continue;
    if (both.aborted) break;
    take(
      order,
      order.do === "tags"
        ? await purgeTags(node, order.tags, order.soft, both)
        : await banOn(node, order, both),
    );
  }
  if (stop.signal.aborted) result.owed.push(...pending);
  return result;
}
