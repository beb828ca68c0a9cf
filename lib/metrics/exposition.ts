// Sluice's figures as Prometheus reads them. What exists is read when it asks: no second count is kept of it.
import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import { activeStates } from "../changes/rows";
import { config } from "../config/load";
import { db } from "../db/client";
import { healthStates } from "../health/contract";
import { health } from "../health/service";
import { liveHub } from "../live/hub";
import { outboxState } from "../purge/owed";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { version } from "../runtime/version";
import { instruments } from "./instruments";

type Row = readonly [value: number, labels?: Readonly<Record<string, string>>];

/** A gauge whose rows are all read anew at each scrape. One that cannot be read is left out; the others are told. */
function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Promise<Row[]> | Row[],
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      this.reset();
      try {
        for (const [value, labels = {}] of await read()) this.set({ ...labels }, value);
      } catch (error) {
        log.warn({ err: error, metric: name }, "a figure of Sluice's own could not be read");
      }
    },
  });
}

function collect(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  gauge(registry, "sluice_build_info", "Always 1; the version is the label.", ["version"], () => [
    [1, { version: version() }],
  ]);
  gauge(
    registry,
    "sluice_changes_active",
    "Changes that wait or are at work, by kind and state.",
    ["kind", "state"],
    async () => {
      const groups = await db().change.groupBy({
        by: ["kind", "state"],
        where: { state: { in: [...activeStates] } },
        _count: true,
      });
      return groups.map(({ kind, state, _count }): Row => [_count, { kind, state }]);
    },
  );
  gauge(
    registry,
    "sluice_outbox_waiting",
    "Purges that a node was not given yet because it did not answer.",
    ["node"],
    async () => {
      const waiting = new Map(config().systems.varnish.map(({ name }) => [name, 0]));
      for (const owed of await outboxState()) waiting.set(owed.node, owed.waiting);
      return [...waiting].map(([node, count]): Row => [count, { node }]);
    },
  );
  gauge(
    registry,
    "sluice_component_state",
    "1 for the state that a component is in, 0 for the others.",
    ["kind", "name", "state"],
    () =>
      health()
        .all()
        .flatMap(({ kind, name, state }) =>
          healthStates.map((one): Row => [one === state ? 1 : 0, { kind, name, state: one }]),
        ),
  );
  gauge(
    registry,
    "sluice_component_probe_seconds",
    "Time that the last look at a component took; none while it is down.",
    ["kind", "name"],
    () =>
      health()
        .all()
        .flatMap(({ kind, name, latencyMs }): Row[] =>
          latencyMs === null ? [] : [[latencyMs / 1000, { kind, name }]],
        ),
  );
  gauge(registry, "sluice_incidents_open", "Incidents that are not closed.", ["severity"], async () => {
    const open = new Map([
      ["critical", 0],
      ["warning", 0],
    ]);
    const groups = await db().incident.groupBy({
      by: ["severity"],
      where: { state: { in: ["open", "acknowledged"] } },
      _count: true,
    });
    for (const { severity, _count } of groups) open.set(severity, _count);
    return [...open].map(([severity, count]): Row => [count, { severity }]);
  });
  gauge(registry, "sluice_live_viewers", "Event streams that are open: tabs, and programs.", [], () => [
    [liveHub().listeners],
  ]);
}

const reading = () =>
  singleton("metrics.reading", (): { text: Promise<string> | null } => {
    collect(instruments().registry);
    return { text: null };
  });

/** Everything, in Prometheus' text format, and its media type. Who asks while it is read gets the same. */
export async function exposition(): Promise<{ readonly text: string; readonly type: string }> {
  const { registry } = instruments();
  const now = reading();
  now.text ??= registry.metrics().finally(() => {
    now.text = null;
  });
  return { text: await now.text, type: registry.contentType };
}
