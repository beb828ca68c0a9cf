// The process's health: one keeper fed by the looks at the connections, told to every viewer, and its history.
import { config } from "../config/load";
import { collector } from "../connections/service";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { liveHub, publish } from "../live/hub";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import type { ComponentHistory, StateChange } from "./contract";
import { HealthKeeper } from "./keeper";
import { readProblem, readState } from "./rows";
import { daysOf, spansOf, within } from "./uptime";

const watchEveryMs = 15_000;
const pruneEveryMs = 6 * 3_600_000;
const historyMs = 90 * 86_400_000;
const budgetMs = 30 * 86_400_000;
const maxStates = 100;

export const health = (): HealthKeeper => singleton("health", () => new HealthKeeper(config));

/** A component's states and days. Throws AppError NOT_FOUND. */
export async function componentHistory(key: string, now = Date.now()): Promise<ComponentHistory> {
  const component = health().get(key);
  if (component === null)
    throw new AppError("NOT_FOUND", `There is no component ${key.slice(0, 100)}.`, {
      problem: "health.notFound",
      params: { key: key.slice(0, 100) },
    });
  await health().settled();
  const from = new Date(now - historyMs);
  // The state in which the ninety days began has an older row.
  const before = await db().healthState.findFirst({
    where: { component: key, since: { lt: from } },
    orderBy: [{ since: "desc" }, { id: "desc" }],
  });
  const inside = await db().healthState.findMany({
    where: { component: key, since: { gte: from } },
    orderBy: [{ since: "asc" }, { id: "asc" }],
  });
  const rows = (before === null ? inside : [before, ...inside]).map((row) => ({
    state: readState(row.state),
    since: row.since.getTime(),
    problem: readProblem(row.problem),
  }));
  const spans = spansOf(rows, now);
  const month = within(spans, now - budgetMs, now);
  const { objective } = config().health;
  return {
    component,
    states: rows
      .map(({ state, since, problem }, index) => {
        const until = rows[index + 1]?.since;
        return {
          state,
          since: new Date(since).toISOString(),
          until: until === undefined ? null : new Date(until).toISOString(),
          problem,
        };
      })
      .reverse()
      .slice(0, maxStates),
    days: daysOf(spans, now),
    budget: {
      objective: objective / 100,
      up: month.watchedMs === 0 ? null : 1 - month.downMs / month.watchedMs,
      watchedMs: month.watchedMs,
      allowedMs: Math.round(budgetMs * (1 - objective / 100)),
      downMs: month.downMs,
    },
  };
}

const eventsMs = 24 * 3_600_000;
const maxEvents = 30;

/** The changes of state of the last day, newest first. */
export async function recentStates(now = Date.now()): Promise<StateChange[]> {
  const rows = await db().healthState.findMany({
    where: {
      since: { gte: new Date(now - eventsMs) },
      state: { not: "unknown" },
      // That it is well when one begins to look is no event.
      NOT: { state: "up", before: "unknown" },
    },
    orderBy: [{ since: "desc" }, { id: "desc" }],
    take: maxEvents,
  });
  return rows.map(({ id, component, state, since, problem }) => ({
    id,
    component,
    state: readState(state),
    at: since.toISOString(),
    problem: readProblem(problem),
  }));
}

/** Takes away states that ended before `olderThan`; the last one of each component stays. */
export async function pruneStates(olderThan: Date): Promise<number> {
  return db().$executeRaw`
    DELETE FROM "HealthState" WHERE "since" < ${olderThan}
    AND "id" NOT IN (SELECT max("id") FROM "HealthState" WHERE "since" < ${olderThan} GROUP BY "component")`;
}

/** For lib/runtime/services.ts. */
export const healthService = {
  name: "health",
  async start(): Promise<() => Promise<void>> {
    const keeper = health();
    await keeper.open();
    const stopTelling = keeper.onUpdate((component) => publish("component", component));
    const follow = () => {
      keeper.follow(collector().targets());
      liveHub().forgetComponents(({ key }) => keeper.get(key) !== null);
      for (const component of keeper.all()) publish("component", component);
    };
    const stops = [
      collector().onTargets(follow),
      collector().onLook((looked) => keeper.see(looked)),
      stopTelling,
    ];
    // Not before the looks begin: nobody is watched yet, and what is not watched is forgotten.
    const watch = setInterval(() => {
      keeper
        .watched()
        .catch((error: unknown) => log.warn({ err: error }, "the time of watching could not be kept"));
    }, watchEveryMs).unref();
    const prune = () => {
      pruneStates(new Date(Date.now() - config().health.keep)).catch((error: unknown) =>
        log.warn({ err: error }, "old states could not be taken away"),
      );
    };
    prune();
    const pruning = setInterval(prune, pruneEveryMs).unref();
    return async () => {
      clearInterval(watch);
      clearInterval(pruning);
      for (const stop of stops) stop();
      await keeper.settled();
      await keeper.watched();
    };
  },
};
