// The outbox: orders that a node did not take because it gave no answer, kept until it does.
import { db } from "@/lib/db/client";
import type { AppError } from "@/lib/errors/app-error";
import { singleton } from "@/lib/runtime/singleton";
import type { OutboxNode } from "./contract";
import { sizeOfOrder, type VarnishOrder } from "./operations";

const ordersPerRow = 500;

const listeners = () => singleton("purge.outbox.listeners", () => new Set<() => void>());

/** Calls `listener` when orders were put into the outbox or taken out; returns the way to stop. */
export function onOutbox(listener: () => void): () => void {
  listeners().add(listener);
  return () => listeners().delete(listener);
}
export const tellOutbox = (): void => {
  for (const listener of listeners()) listener();
};

/** Keeps orders for a node: durable when it resolves. `boot`: the node's boot id when it last answered. */
export async function owe(
  node: string,
  changeId: number,
  orders: readonly VarnishOrder[],
  boot: string | null,
  error: AppError | null,
): Promise<void> {
  if (orders.length === 0) return;
  const rows = [];
  for (let from = 0; from < orders.length; from += ordersPerRow) {
    const part = orders.slice(from, from + ordersPerRow);
    rows.push({
      node,
      changeId,
      operations: JSON.stringify(part),
      count: part.reduce((sum, order) => sum + sizeOfOrder(order), 0),
      boot,
      lastError: error?.message.slice(0, 500) ?? null,
    });
  }
  await db().outbox.createMany({ data: rows });
  tellOutbox();
}

/** What each node still owes, worst first. */
export async function outboxState(): Promise<OutboxNode[]> {
  const groups = await db().outbox.groupBy({
    by: ["node"],
    _sum: { count: true },
    _min: { queuedAt: true },
    _max: { attempts: true, id: true },
  });
  const nodes = await Promise.all(
    groups.map(async (group) => {
      const last = await db().outbox.findFirst({
        where: { node: group.node, lastError: { not: null } },
        orderBy: { id: "desc" },
        select: { lastError: true },
      });
      return {
        node: group.node,
        waiting: group._sum.count ?? 0,
        oldestAt: group._min.queuedAt?.toISOString() ?? null,
        attempts: group._max.attempts ?? 0,
        lastError: last?.lastError ?? null,
      };
    }),
  );
  return nodes.sort((a, b) => b.waiting - a.waiting);
}
