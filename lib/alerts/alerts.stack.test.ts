// The stack's real Prometheus and Alertmanager: alerts as they come and go, silences as changes, and Alertmanager away.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sluiceYaml } from "@/lab/sluice-yaml.mjs";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { config } from "../config/load";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { incidents } from "../incidents/service";
import { findSilence } from "../systems/alertmanager/alerts";
import { stackUrl, testStack, until } from "../systems/test-stack";
import { silenceEvidence, silencePlan } from "./contract";
import { registerAlerts } from "./register";
import { alerts, gatherAlertsAnew } from "./service";

const exec = promisify(execFile);
const stack = testStack();
const stackFile = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";
const hourMs = 3_600_000;

describe.skipIf(!stack)("alerts on the stack", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-alerts-"));
  const name = `Test${Date.now()}`;
  const omar: Actor = { type: "user", id: "1", name: "Omar", role: "operator", sites: null, scopes: null };
  let base = "";

  beforeAll(async () => {
    if (stack === null) return;
    process.env.SLUICE_DATA = directory;
    process.env.SLUICE_CONFIG = join(directory, "sluice.yaml");
    writeFileSync(process.env.SLUICE_CONFIG, sluiceYaml(JSON.parse(readFileSync(stackFile, "utf8"))));
    await openDatabase();
    registerAlerts();
    base = stackUrl(stack, "alertmanager");
  });
  afterAll(async () => {
    if (stack !== null)
      for (const labels of told.values()) await tell(labels, new Date()).catch(() => undefined);
    incidents().stop();
    await closeDatabase();
    rmSync(directory, { recursive: true, force: true });
  });

  /** What is left of them is taken back at the end, also of a test that failed. */
  const told = new Map<string, Record<string, string>>();
  /** Tells Alertmanager of an alert, as Prometheus does. */
  const tell = async (labels: Record<string, string>, endsAt = new Date(Date.now() + hourMs)) => {
    told.set(JSON.stringify(labels), labels);
    const answer = await fetch(`${base}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([
        { labels: { alertname: name, ...labels }, annotations: { summary: "x" }, endsAt },
      ]),
    });
    expect(answer.status).toBe(200);
  };
  const seen = async (of: string, instance?: string) => {
    await gatherAlertsAnew();
    return alerts().alerts.find(
      (one) => one.name === of && (instance === undefined || one.labels.instance === instance),
    );
  };
  const run = async (kind: string, input: unknown, confirmation: string | null = null) => {
    const id = await engine().start({ kind, input, actor: omar, origin: "page", confirmation });
    return engine().wait(id, 20_000);
  };
  const ofRedis = async () => (await incidents().current()).filter(({ cause }) => cause === "redis/redis");
  const problemOf = (error: { detail?: { problem?: string } }) => error.detail?.problem;
  const matchers = (value: string, isRegex = false) => [{ name: "alertname", value, isRegex, isEqual: true }];
  const inAnHour = () => new Date(Date.now() + hourMs).toISOString();

  test("what is told to Alertmanager is seen, with its component; grave, it opens an incident that ends with it", async () => {
    await tell({ severity: "critical", instance: "redis", job: "redis" });
    await tell({ severity: "warning", instance: "nowhere" });
    const one = await until("the alert", () => seen(name, "redis"));
    expect(one).toMatchObject({ state: "firing", source: "alertmanager", component: "redis/redis" });
    const { incident } = one;
    expect(incident).not.toBeNull();
    expect((await seen(name, "nowhere"))?.incident).toBeNull();
    // The machine's own alerts may have theirs.
    expect(await ofRedis()).toMatchObject([
      { id: incident, title: name, cause: "redis/redis", openedBy: "alert" },
    ]);
    await tell({ severity: "critical", instance: "redis", job: "redis" }, new Date());
    await until("it is over", async () => (await seen(name, "redis")) === undefined);
    const entries = await db().incidentEntry.findMany({
      where: { incidentId: incident ?? 0, type: "alert" },
    });
    expect(entries.map(({ data }) => JSON.parse(data ?? "{}").state)).toEqual(["firing", "resolved"]);
    await until("the incident ends", async () => (await ofRedis()).length === 0, 30_000);
  }, 60_000);

  test("a silence: previewed, proved by what Alertmanager says, ended by its undo", async () => {
    const input = { matchers: matchers(`${name.slice(0, -1)}.`, true), endsAt: inAnHour(), reason: "a test" };
    const preview = silencePlan.parse((await engine().plan("alert.silence", input, omar)).plan);
    expect(preview).toMatchObject({ count: 1, broad: false, reached: [{ name, state: "firing" }] });

    const done = await run("alert.silence", input);
    expect(done).toMatchObject({ state: "done", outcome: "silenced" });
    const row = await db().change.findUniqueOrThrow({ where: { id: done.id } });
    const evidence = silenceEvidence.parse(JSON.parse(row.evidence ?? "null"));
    expect(evidence.alerts).toMatchObject([{ name, silenced: true }]);
    const [alertmanager] = config().systems.alertmanager;
    if (alertmanager === undefined) throw new Error("not configured");
    expect(await findSilence(alertmanager, evidence.silence)).toMatchObject({
      status: { state: "active" },
      createdBy: "Omar",
      comment: `a test (Sluice, change ${done.id})`,
    });
    expect(await seen(name)).toMatchObject({ state: "silenced", silencedBy: [evidence.silence] });
    expect(alerts().silences.find(({ id }) => id === evidence.silence)?.alerts).toBe(1);

    const undone = await engine().wait(await engine().undo(done.id, omar), 20_000);
    expect(undone).toMatchObject({ state: "done", outcome: "expired", kind: "alert.unsilence" });
    expect(await seen(name)).toMatchObject({ state: "firing" });
    expect((await findSilence(alertmanager, evidence.silence)).status.state).toBe("expired");
    await expect(engine().plan("alert.unsilence", { id: evidence.silence }, omar)).rejects.toSatisfy(
      (error: object) => problemOf(error) === "alerts.over",
    );
  }, 60_000);

  test("what would silence everything must be typed; bad input is told in its place", async () => {
    const broad = { matchers: matchers(".+", true), endsAt: inAnHour(), reason: "all of it" };
    await expect(run("alert.silence", broad)).rejects.toMatchObject({ code: "CONFIRMATION_REQUIRED" });
    const viewer: Actor = { ...omar, role: "viewer" };
    await expect(engine().plan("alert.silence", broad, viewer)).rejects.toMatchObject({ code: "FORBIDDEN" });
    const refused = (change: object) =>
      engine()
        .plan("alert.silence", { ...broad, ...change }, omar)
        .then(() => null, problemOf);
    expect(await refused({ endsAt: new Date(Date.now() - 1000).toISOString() })).toBe("alerts.past");
    expect(await refused({ endsAt: new Date(Date.now() + 31 * 24 * hourMs).toISOString() })).toBe(
      "alerts.tooLong",
    );
    expect(await refused({ matchers: matchers("a(", true) })).toBe("alerts.pattern");
    expect(await refused({ matchers: [] })).toBe("alerts.noMatcher");
    expect(await refused({ matchers: matchers(".*", true) })).toBe("alerts.matchesEmpty");
    expect(await run("alert.unsilence", { id: "no-such-silence" }).catch(problemOf)).toBe(
      "alertmanager.noSilence",
    );
  }, 30_000);

  test("a rule of Prometheus: pending, then firing, the same one; its component's incident", async () => {
    const php = stack?.containers.php ?? "";
    await exec("docker", ["pause", php]);
    try {
      const pending = await until("PhpFpmDown is pending", () => seen("PhpFpmDown"), 60_000);
      expect(pending).toMatchObject({ source: "prometheus", state: "pending", component: "php_fpm/php" });
      expect(pending.runbook).toBe("docs/alerts.md#phpfpmdown");
      const fires = await until(
        "and fires",
        async () => {
          const one = await seen("PhpFpmDown");
          return one?.state === "firing" ? one : null;
        },
        120_000,
      );
      // The same one.
      expect(fires).toMatchObject({ id: pending.id, since: pending.since, severity: "critical" });
      expect(fires.incident).not.toBeNull();
    } finally {
      await exec("docker", ["unpause", php]);
    }
    await until("it is over", async () => (await seen("PhpFpmDown")) === undefined, 60_000);
    expect(alerts().failing).toEqual([]);
  }, 250_000);

  test("Alertmanager and Prometheus away: told, what they said stays, and nothing is taken for over", async () => {
    await tell({ severity: "critical", instance: "redis", job: "redis" });
    const before = await until("it fires", () => seen(name, "redis"));
    const monitor = stack?.containers.monitor ?? "";
    await exec("docker", ["pause", monitor]);
    try {
      await gatherAlertsAnew();
      expect(alerts().away.map(({ source }) => source)).toEqual(["prometheus", "alertmanager"]);
      expect(await seen(name, "redis")).toEqual(before);
      expect(await ofRedis()).toHaveLength(1);
      const silence = await run("alert.silence", {
        matchers: matchers(name),
        endsAt: inAnHour(),
        reason: "away",
      });
      expect(silence).toMatchObject({ state: "failed", error: { code: "TIMEOUT" } });
    } finally {
      await exec("docker", ["unpause", monitor]);
    }
    await until(
      "both are back",
      async () => {
        await gatherAlertsAnew();
        return alerts().away.length === 0;
      },
      30_000,
    );
    await tell({ severity: "critical", instance: "redis", job: "redis" }, new Date());
    await tell({ severity: "warning", instance: "nowhere" }, new Date());
    await until("all over", async () => (await seen(name)) === undefined);
  }, 120_000);
});
