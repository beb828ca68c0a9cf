// Brings Sluice to life once per process: configuration, database, lease, changes left over, services; and down again.
import { engine } from "../changes/engine";
import { pruneChanges } from "../changes/queries";
import { config, configSource, configState, describeProblem, onConfig } from "../config/load";
import { closeDatabase } from "../db/client";
import { keepLease } from "../db/lease";
import { configFile } from "../db/location";
import { openDatabase } from "../db/open";
import { toAppError } from "../errors/app-error";
import { publish } from "../live/hub";
import { log } from "./log";
import { serviceStates, setServiceState } from "./service-states";
import { kinds, type Service, services } from "./services";
import { singleton } from "./singleton";
import { version } from "./version";

/** How long changes at work may take to end when Sluice is told to stop, in ms; containers are killed after 10 s. */
const graceMs = 5000;
const pruneEveryMs = 24 * 3_600_000;

type Runtime = {
  /** Run in the opposite order when Sluice stops. */
  readonly stops: { readonly name: string; readonly stop: () => Promise<void> }[];
  started: Promise<void> | null;
  stopped: Promise<void> | null;
};

function runtime(): Runtime {
  return singleton("runtime", () => ({ stops: [], started: null, stopped: null }));
}

/** What to start; tests give their own. */
export type Parts = { readonly kinds: readonly (() => void)[]; readonly services: readonly Service[] };

/**
 * Starts everything, once. Rejects when the database cannot be used or another Sluice runs on it; a service that
 * fails is only noted in its state (service-states.ts).
 */
export function startRuntime(parts: Parts = { kinds, services }): Promise<void> {
  const self = runtime();
  self.started ??= start(self, parts);
  return self.started;
}

/** Stops everything, once: services first, then the engine, then the lease and the database. */
export function stopRuntime(): Promise<void> {
  const self = runtime();
  self.stopped ??= stop(self);
  return self.stopped;
}

async function start(self: Runtime, parts: Parts): Promise<void> {
  reportConfig();
  onConfig(reportConfig);
  self.stops.push({ name: "configuration", stop: synchronously(configSource().watch()) });

  const { lease, migrated } = await openDatabase();
  if (migrated.length > 0) log.info({ migrated }, "database schema brought up to date");
  self.stops.push({ name: "database", stop: closeDatabase });
  const giveBack = keepLease(lease, () => {
    // Going on would apply changes twice: the other process has taken them up already.
    log.fatal("another Sluice has taken over the database: this one ends");
    process.exit(1);
  });
  self.stops.push({ name: "lease", stop: giveBack });

  const changes = engine();
  changes.onUpdate((row) => publish("change", row));
  for (const register of parts.kinds) register();
  const recovered = await changes.recover();
  if (recovered.resumed + recovered.interrupted > 0)
    log.warn(recovered, "changes left over from the last run");
  self.stops.push({ name: "changes", stop: () => changes.stop(graceMs) });

  self.stops.push({ name: "retention", stop: synchronously(startRetention()) });
  for (const service of parts.services) await startService(self, service);
  log.info({ version: version() }, "Sluice is running");
}

async function startService(self: Runtime, service: Service): Promise<void> {
  const { name } = service;
  setServiceState({ name, state: "starting", error: null });
  try {
    const stopService = await service.start();
    self.stops.push({ name, stop: stopService });
    setServiceState({ name, state: "running", error: null });
  } catch (thrown) {
    const error = toAppError(thrown);
    setServiceState({ name, state: "failed", error });
    const detail = error.code === "INTERNAL" ? { err: error } : { code: error.code };
    log.error({ ...detail, service: name }, `${name} did not start: ${error.message}`);
  }
}

async function stop(self: Runtime): Promise<void> {
  await self.started?.catch(() => {});
  for (const { name, stop: stopOne } of self.stops.splice(0).reverse()) {
    await stopOne().catch((error: unknown) =>
      log.error({ err: error, service: name }, `${name} did not stop cleanly`),
    );
    if (serviceStates().some((one) => one.name === name))
      setServiceState({ name, state: "stopped", error: null });
  }
  log.info("Sluice has stopped");
}

/** Takes old history away, at once and then daily. */
function startRetention(): () => void {
  const prune = (): void => {
    pruneChanges(new Date(Date.now() - config().history.keep))
      .then((count) => {
        if (count > 0) log.info({ count }, "history past its retention taken away");
      })
      .catch((error: unknown) => log.error({ err: error }, "old history could not be taken away"));
  };
  prune();
  const timer = setInterval(prune, pruneEveryMs).unref();
  return () => clearInterval(timer);
}

function reportConfig(): void {
  const { file, error, problems } = configState();
  if (error === null) {
    if (file === null)
      log.info(`no configuration (${configFile()} is not there): everything is at its default`);
    else log.info({ file }, "configuration read");
    return;
  }
  for (const problem of problems) log.error(`configuration not taken: ${describeProblem(problem, file)}`);
}

function synchronously(action: () => void): () => Promise<void> {
  return async () => action();
}
