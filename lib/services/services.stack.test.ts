// Services against a real engine: what the collector says, how a container died, logs, acts, and an engine that goes.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { db } from "../db/client";
import { testStack, until } from "../systems/test-stack";
import { type ActPlan, actEvidence } from "./acts/contract";
import { ServicesCollector } from "./collector";
import type { ServicesEvent } from "./contract";
import { deathsOf, goneOf } from "./deaths";
import type { LogEvent, LogQuery } from "./logs/contract";
import { logText, watchLogs } from "./logs/logs";
import { serviceDetail, usageHistory } from "./service";
import { actor, openServicesLab, type ServicesLab } from "./test-services";

const self = vi.hoisted(() => ({ own: null as string | null }));
vi.mock("../systems/docker/self", async (original) => ({
  ...(await original<typeof import("../systems/docker/self")>()),
  ownContainer: () => self.own,
}));

const host = "services";
const query = (names: readonly string[], more: Partial<LogQuery> = {}): LogQuery => ({
  of: names.map((id) => ({ host, id, kind: "container" as const })),
  regex: false,
  tail: 500,
  follow: false,
  ...more,
});
const never = new AbortController().signal;
async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
const historyOf = async (asked: LogQuery) => {
  const [first] = await all(watchLogs(asked, never));
  if (first?.type !== "history") throw new Error("no history");
  return first;
};
const endless = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

describe.skipIf(!testStack())("services", () => {
  let lab: ServicesLab;
  beforeAll(async () => {
    lab = await openServicesLab(host);
  }, 120_000);
  afterAll(() => lab?.close(), 60_000);

  const act = (
    input: Record<string, unknown>,
    more: { confirmation?: string; role?: "operator" | "viewer" } = {},
  ) => lab.change(`service.${input.act}`, { host, ...input }, more);
  const changeOf = async (id: number) => {
    const { changeDetail } = await import("../changes/queries");
    return actEvidence.parse((await changeDetail(id)).evidence);
  };
  const plan = async (input: Record<string, unknown>): Promise<ActPlan> => {
    const { engine } = await import("../changes/engine");
    return (await engine().plan(`service.${input.act}`, { host, ...input }, actor())).plan as ActPlan;
  };

  test("what runs is seen by its events, with what it uses while somebody looks", async () => {
    const control = new AbortController();
    const events = lab.collector.watch(control.signal);
    const seen: ServicesEvent[] = [];
    const watching = (async () => {
      for await (const event of events) seen.push(event);
    })();
    expect(lab.collector.viewers).toBe(1);
    await lab.run(
      "seen",
      "while :; do :; done",
      "--memory",
      "64m",
      "--label",
      "com.docker.compose.project=p",
    );
    const row = await lab.row("seen", ({ usage }) => (usage?.cpu ?? 0) > 0.2);
    expect(row).toMatchObject({ host, project: "p", state: "running", verdict: "up", memoryLimited: true });
    expect(row.usage?.memoryLimit).toBe(64 * 1024 * 1024);
    await until("its use is told", async () =>
      seen.some((event) => event.type === "usage" && (event.usage[row.id]?.cpu ?? 0) > 0.2),
    );
    await lab.own.docker("rm", "-f", "seen");
    await until("it is told to be gone", async () =>
      seen.some((event) => event.type === "rows" && event.gone.includes(row.id)),
    );
    control.abort();
    await watching;
    expect(lab.collector.viewers).toBe(0);
    expect(seen[0]?.type).toBe("snapshot");
    expect(
      seen.some((event) => event.type === "rows" && event.rows.some(({ name }) => name === "seen")),
    ).toBe(true);
  });

  test("a hundred viewers cost the engine one stream for each container", async () => {
    await lab.run("watched", endless);
    const { id } = await lab.row("watched");
    const control = new AbortController();
    const viewers = Array.from({ length: 100 }, () => all(lab.collector.watch(control.signal)));
    await lab.row("watched", ({ usage }) => usage !== null);
    const { readdirSync, readlinkSync } = await import("node:fs");
    const sockets = readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
      } catch {
        return false;
      }
    });
    expect(lab.collector.viewers).toBe(100);
    expect(sockets.length).toBeLessThan(40);
    control.abort();
    await Promise.all(viewers);
    expect(usageHistory({ host, id }).stepMs).toBe(10_000);
    await lab.own.docker("rm", "-f", "watched");
  });

  test("why it died: the code, the last lines, and that nobody asked; kept when it is gone", async () => {
    await lab.run("dies", "for i in 1 2 3; do echo line $i; done; sleep 0.1; echo last words >&2; exit 7");
    await lab.row("dies", ({ verdict, exitCode }) => verdict === "down" && exitCode === 7);
    const death = await until("its death is kept", async () => (await deathsOf(host, "dies", null))[0]);
    expect(death).toMatchObject({ exitCode: 7, oom: false, requested: false });
    expect(death.lines.map(({ text }) => text)).toEqual(["line 1", "line 2", "line 3", "last words"]);
    await lab.own.docker("rm", "dies");
    expect(await deathsOf(host, "dies", null)).toHaveLength(1);
    await lab.run("goes", "echo only once; sleep 1; exit 5", "--rm");
    const gone = await until(
      "the removed one's death is kept",
      async () => (await deathsOf(host, "goes", null))[0],
    );
    expect(gone.lines.map(({ text }) => text)).toEqual(["only once"]);
  });

  test("deaths of what was removed can be read, with the change that took it and none of the many purges", async () => {
    await lab.run("leaves", "echo last words; sleep 0.3; exit 7", "--rm");
    const gone = await until("it is told as gone", async () => {
      const there = new Set(lab.collector.snapshot().rows.map(({ name }) => name));
      return (await goneOf((_host, name) => there.has(name))).find(({ name }) => name === "leaves");
    });
    expect(gone).toMatchObject({ host, exitCode: 7 });
    const change = (kind: string, target: string) =>
      db().change.create({
        data: {
          kind,
          title: kind,
          state: "done",
          level: "reversible",
          actorType: "user",
          actorName: "Ada",
          origin: "page",
          input: "{}",
          plan: "{}",
          search: "",
          createdAt: new Date(Date.parse(gone.at) - 1000),
          targets: { create: { target } },
        },
      });
    await change("service.deploy", `container:${host}/leaves`);
    await change("service.restart", `container:${host}/other`);
    for (let index = 0; index < 12; index++) await change("purge.urls", "site:x");
    const [death] = await deathsOf(host, "leaves", null);
    expect(death?.lines.map(({ text }) => text)).toEqual(["last words"]);
    expect(death?.before.map(({ what }) => what).sort()).toEqual(["service.deploy", "service.restart"]);
    expect((await goneOf(() => true)).length).toBe(0);
  }, 30_000);

  test("out of memory is said", async () => {
    await lab.run("oom", "sleep 0.5; tail /dev/zero", "--memory", "16m", "--memory-swap", "16m");
    const row = await lab.row("oom", ({ state }) => state === "exited");
    expect(row).toMatchObject({ verdict: "down", oom: true, exitCode: 137 });
    expect(row.reasons).toContain("oom");
    await lab.own.docker("rm", "oom");
  });

  test("a restart loop is found", async () => {
    await lab.run("loop", "exit 1", "--restart", "always");
    const row = await lab.row("loop", ({ reasons }) => reasons.includes("loop"), 30_000);
    expect(row.verdict).toBe("down");
    expect(row.deaths).toBeGreaterThanOrEqual(3);
    await lab.own.docker("rm", "-f", "loop");
  });

  test("the detail: names of the environment, never a value", async () => {
    await lab.run(
      "detail",
      endless,
      "-e",
      "APP_SECRET=hush-hush",
      "--label",
      "team=a",
      "--health-cmd",
      "true",
      "--health-interval",
      "1s",
    );
    await lab.row("detail", ({ health }) => health === "healthy");
    const detail = await serviceDetail({ host, id: "detail" }, true);
    expect(detail.env).toContain("APP_SECRET");
    expect(JSON.stringify(detail)).not.toContain("hush-hush");
    // A base image that was made here has a label, too.
    expect(detail.labels).toMatchObject({ team: "a" });
    expect(detail.healthCheck?.log[0]).toMatchObject({ exitCode: 0 });
    await lab.own.docker("rm", "-f", "detail");
  });

  test("a container that is not there, or not on this host, is named", async () => {
    await expect(serviceDetail({ host, id: "nobody" }, true)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(serviceDetail({ host: "elsewhere", id: "nobody" }, true)).rejects.toThrow(
      /there is: services/,
    );
  });

  describe("logs", () => {
    test("several containers in time order; levels, search, streams and bounds", async () => {
      await lab.run(
        "log-a",
        'echo a1; sleep 0.2; echo \'[error] a2\' >&2; sleep 0.2; echo \'{"level":40,"msg":"a3"}\'',
      );
      await lab.run("log-b", "sleep 0.1; echo b1; sleep 0.2; echo b2; sleep 0.2; echo b3");
      await lab.own.docker("wait", "log-a", "log-b");
      await lab.row("log-a", ({ state }) => state === "exited");
      await lab.row("log-b", ({ state }) => state === "exited");
      const whole = await historyOf(query(["log-a", "log-b"]));
      const times = whole.lines.map(({ at }) => at);
      expect(times).toEqual([...times].sort());
      expect(whole).toMatchObject({ scanned: 6, whole: true });
      expect(new Set(whole.lines.map(({ from }) => from))).toEqual(new Set([0, 1]));
      expect((await historyOf(query(["log-a"], { levels: ["error", "warn"] }))).lines).toHaveLength(2);
      expect((await historyOf(query(["log-a"], { stream: "stderr" }))).lines).toHaveLength(1);
      expect((await historyOf(query(["log-b"], { search: "B2" }))).lines.map(({ text }) => text)).toEqual([
        "b2",
      ]);
      expect((await historyOf(query(["log-b"], { search: "^b[12]$", regex: true }))).lines).toHaveLength(2);
      const second = whole.lines[2]?.at ?? "";
      expect((await historyOf(query(["log-a", "log-b"], { until: second }))).lines.length).toBeLessThan(6);
      await expect(
        all(watchLogs(query(["log-a"], { search: "(", regex: true }), never)),
      ).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
      const [since, until_] = [new Date().toISOString(), "2020-01-01T00:00:00Z"];
      await expect(all(watchLogs(query(["log-a"], { since, until: until_ }), never))).rejects.toMatchObject({
        detail: { problem: "services.badRange" },
      });
      const text = (await all(logText(query(["log-a", "log-b"]), never))).join("");
      expect(text.trim().split("\n")).toHaveLength(6);
      expect(text).toContain(" log-b b2\n");
    });

    test("of logs longer than a search may read, the newest lines are found, and what was not read is said", async () => {
      const script = "seq -f 'line %.0f' 1 600000; sleep 600";
      for (const name of ["long-1", "long-2"]) await lab.run(name, script);
      await Promise.all(["long-1", "long-2"].map((name) => lab.row(name)));
      const ask = async () => {
        const control = new AbortController();
        const query = {
          of: ["long-1", "long-2"].map((id) => ({ host, id, kind: "container" as const })),
          search: "line 600000",
          regex: false,
          tail: 100,
          follow: false,
        };
        for await (const event of watchLogs(query, control.signal))
          if (event.type === "history") return event;
        throw new Error("no history");
      };
      const found = await until(
        "both have written all",
        async () => {
          const event = await ask();
          return event.lines.length === 2 ? event : null;
        },
        60_000,
      );
      expect(found).toMatchObject({ whole: false, searched: { since: expect.any(String), until: null } });
      expect(found.lines.map(({ text }) => text)).toEqual(["line 600000", "line 600000"]);
      await lab.own.docker("rm", "-f", "long-1", "long-2");
    }, 120_000);

    test("followed over a restart; nothing twice, nothing lost", async () => {
      await lab.run("again", "trap 'exit 0' TERM; for i in $(seq 1 10000); do echo $i; sleep 0.05; done");
      await lab.row("again");
      const control = new AbortController();
      const told: LogEvent[] = [];
      const watching = (async () => {
        for await (const event of watchLogs(query(["again"], { follow: true }), control.signal))
          told.push(event);
      })();
      const lines = () =>
        told.flatMap((event) => (event.type === "history" || event.type === "lines" ? event.lines : []));
      await until("some lines", async () => lines().length > 5);
      await lab.own.docker("restart", "-t", "1", "again");
      const before = lines().length;
      await until("lines of the second run", async () => lines().length > before + 5);
      control.abort();
      await watching;
      const seen = lines().map(({ text }) => Number(text));
      const second = seen.lastIndexOf(1);
      expect(seen.slice(0, second)).toEqual(seen.slice(0, second).map((_, index) => index + 1));
      expect(seen.slice(second)).toEqual(seen.slice(second).map((_, index) => index + 1));
      expect(told.some((event) => event.type === "source" && event.state === "again")).toBe(true);
      await lab.own.docker("rm", "-f", "again");
    });

    test("followed without a line of history: what comes, and nothing old as new", async () => {
      await lab.run("quiet", "echo old; until [ -e /tmp/go ]; do sleep 0.1; done; echo new; sleep 600");
      await lab.row("quiet");
      await until("its line", async () => (await historyOf(query(["quiet"]))).lines.length === 1);
      const control = new AbortController();
      const ways = [{ tail: 0 }, { since: new Date().toISOString() }, { tail: 0, search: "e" }];
      const told = ways.map(() => [] as string[]);
      const watching = ways.map(async (more, index) => {
        for await (const event of watchLogs(query(["quiet"], { follow: true, ...more }), control.signal))
          if (event.type === "history" || event.type === "lines")
            told[index]?.push(event.type, ...event.lines.map(({ text }) => text));
      });
      await until("the histories", async () => told.every(({ length }) => length > 0));
      await lab.own.docker("exec", "quiet", "touch", "/tmp/go");
      await until("what came", async () => told.every((one) => one.includes("new")));
      control.abort();
      await Promise.all(watching);
      for (const one of told) expect(one).toEqual(["history", "lines", "new"]);
      await lab.own.docker("rm", "-f", "quiet");
    });

    test("more lines than anybody reads are counted, and the server goes on", async () => {
      await lab.run(
        "flood",
        "while :; do echo 'a line of a flood that does not end, with some text in it'; done",
      );
      await lab.row("flood");
      const control = new AbortController();
      let dropped = 0;
      let most = 0;
      for await (const event of watchLogs(query(["flood"], { follow: true, tail: 0 }), control.signal)) {
        if (event.type !== "lines") continue;
        dropped += event.dropped;
        most = Math.max(most, event.lines.length);
        if (dropped > 20_000) break;
      }
      control.abort();
      expect(most).toBeLessThanOrEqual(1000);
      await lab.own.docker("rm", "-f", "flood");
    });
  });

  describe("acts", () => {
    test("stop is proved and can be undone", async () => {
      await lab.run("acted", endless);
      await lab.row("acted");
      const row = await act({ act: "stop", target: { by: "containers", ids: ["acted"] } });
      expect(row).toMatchObject({ state: "done", outcome: "asWanted", level: "disruptive" });
      expect(await lab.own.docker("inspect", "-f", "{{.State.Status}}", "acted")).toBe("exited");
      const { engine } = await import("../changes/engine");
      const undo = await engine().wait(await engine().undo(row.id, actor()), 20_000);
      expect(undo.state).toBe("done");
      expect(await lab.own.docker("inspect", "-f", "{{.State.Status}}", "acted")).toBe("running");
    });

    test("a container that changed since its plan is refused, with the difference", async () => {
      const planned = await plan({ act: "restart", target: { by: "containers", ids: ["acted"] } });
      const [one] = planned.containers;
      if (one === undefined) throw new Error("nothing planned");
      await lab.own.docker("stop", "acted");
      await expect(
        act({ act: "restart", target: { by: "containers", ids: ["acted"] }, expected: { [one.id]: one } }),
      ).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("running, now exited") });
    });

    test("a start that ends at once is a failure, and so is an unhealthy one", async () => {
      await lab.run("weak", "sleep 0.3; exit 3");
      await lab.row("weak", ({ state }) => state === "exited");
      const row = await act({ act: "start", target: { by: "containers", ids: ["weak"] } });
      expect(row).toMatchObject({ state: "failed", outcome: "otherwise" });
      await lab.run(
        "sick",
        endless,
        "--health-cmd",
        "exit 1",
        "--health-interval",
        "1s",
        "--health-retries",
        "1",
      );
      await lab.row("sick");
      const sick = await act({ act: "restart", target: { by: "containers", ids: ["sick"] } });
      expect(sick).toMatchObject({ state: "failed", outcome: "otherwise" });
    });

    test("a project is restarted in the order of its dependencies, and a plan says what needs a part of it", async () => {
      const label = (service: string, needs = "") => [
        ...["--label", "com.docker.compose.project=shop", "--label", `com.docker.compose.service=${service}`],
        ...["--label", `com.docker.compose.depends_on=${needs}`],
      ];
      await lab.run("shop-web", endless, ...label("web", "php:service_started:false"));
      await lab.run("shop-php", endless, ...label("php", "zdb:service_started:false"));
      await lab.run("shop-zdb", endless, ...label("zdb"));
      await lab.row("shop-zdb");
      await lab.row("shop-web");
      expect((await plan({ act: "stop", target: { by: "containers", ids: ["shop-php"] } })).neededBy).toEqual(
        ["shop-web"],
      );
      const row = await act({ act: "restart", target: { by: "project", project: "shop" } });
      expect(row.state).toBe("done");
      const started = await lab.own.docker(
        "inspect",
        "-f",
        "{{.State.StartedAt}} {{.Name}}",
        "shop-web",
        "shop-php",
        "shop-zdb",
      );
      expect(
        started
          .split("\n")
          .sort()
          .map((line) => line.split("/")[1]),
      ).toEqual(["shop-zdb", "shop-php", "shop-web"]);
    });

    test("of a project only what runs is restarted, and what a deploy has put aside is left to it", async () => {
      const label = (service: string) => [
        ...[
          "--label",
          "com.docker.compose.project=group",
          "--label",
          `com.docker.compose.service=${service}`,
        ],
      ];
      await lab.run("group-web", endless, ...label("web"));
      await lab.run("group-once", "exit 0", ...label("once"));
      await lab.run("group-web.before-999999", endless, ...label("web"));
      await lab.row("group-once", ({ state }) => state === "exited");
      await lab.row("group-web.before-999999");
      await lab.row("group-web");
      const whole = { act: "restart", target: { by: "project", project: "group" } };
      const planned = await plan(whole);
      expect(planned.containers.map(({ name }) => name)).toEqual(["group-web"]);
      expect(planned.idle).toEqual(["group-once"]);
      expect((await act(whole)).state).toBe("done");
      expect(await lab.own.docker("inspect", "-f", "{{.State.Status}}", "group-once")).toBe("exited");
      await lab.own.docker("stop", "group-web");
      await lab.row("group-web", ({ state }) => state === "exited");
      await expect(act(whole)).rejects.toMatchObject({ code: "CONFLICT" });
      // Whoever acts on what is put aside waits for the deploy of its name.
      const { engine } = await import("../changes/engine");
      const { changeDetail } = await import("../changes/queries");
      const row = await act({ act: "stop", target: { by: "containers", ids: ["group-web.before-999999"] } });
      await engine().wait(row.id, 20_000);
      expect((await changeDetail(row.id)).targets.sort()).toEqual([
        `container:${host}/group-web`,
        `container:${host}/group-web.before-999999`,
      ]);
    });

    test("a group's restart ends where something is not well afterwards, and says what it left", async () => {
      const label = (service: string, needs = "") => [
        ...[
          "--label",
          "com.docker.compose.project=broken",
          "--label",
          `com.docker.compose.service=${service}`,
        ],
        ...["--label", `com.docker.compose.depends_on=${needs}`],
      ];
      // It comes up once.
      await lab.run("broken-db", `test ! -f /was || exit 1; touch /was; ${endless}`, ...label("db"));
      const web = await lab.run("broken-web", endless, ...label("web", "db:service_started:false"));
      await lab.row("broken-db", ({ state }) => state === "running");
      await lab.row("broken-web");
      const startedAt = () => lab.own.docker("inspect", "-f", "{{.State.StartedAt}}", web);
      const before = await startedAt();
      const row = await act({ act: "restart", target: { by: "project", project: "broken" } });
      expect(row).toMatchObject({
        state: "failed",
        error: { message: expect.stringMatching(/broken-db is not well.*broken-web/) },
      });
      expect(await startedAt()).toBe(before);
    });

    test("Sluice's own container: restarted alone, and nothing else; a group goes on without it", async () => {
      const label = ["--label", "com.docker.compose.project=selves"];
      const id = await lab.run("selves-sluice", endless, ...label);
      await lab.run("selves-web", endless, ...label);
      await lab.row("selves-sluice");
      await lab.row("selves-web");
      self.own = id;
      try {
        const target = { by: "containers", ids: ["selves-sluice"] };
        for (const one of ["stop", "kill", "pause", "remove"])
          await expect(act({ act: one, target }, { confirmation: "selves-sluice" })).rejects.toMatchObject({
            code: "FORBIDDEN",
            detail: { problem: "services.self" },
          });
        await expect(
          act({ act: "restart", target: { by: "containers", ids: ["selves-sluice", "selves-web"] } }),
        ).rejects.toMatchObject({ detail: { problem: "services.self" } });
        await expect(
          lab.change("service.deploy", { host, id: "selves-sluice", image: "other:1", watchMs: 1500 }),
        ).rejects.toMatchObject({ detail: { problem: "services.selfDeploy" } });
        const group = await plan({ act: "stop", target: { by: "project", project: "selves" } });
        expect([group.containers.map(({ name }) => name), group.self]).toEqual([
          ["selves-web"],
          "selves-sluice",
        ]);
        expect((await act({ act: "restart", target })).state).toBe("done");
      } finally {
        self.own = null;
      }
    });

    test("roles, typed names, and what is no container", async () => {
      const target = { by: "containers", ids: ["acted"] };
      await expect(act({ act: "stop", target }, { role: "viewer" })).rejects.toMatchObject({
        code: "FORBIDDEN",
      });
      await expect(act({ act: "remove", target }, { role: "operator" })).rejects.toMatchObject({
        code: "FORBIDDEN",
      });
      await expect(act({ act: "remove", target })).rejects.toMatchObject({ code: "CONFIRMATION_REQUIRED" });
      await expect(
        act({ act: "stop", target: { by: "containers", ids: ["../info"] } }),
      ).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
      await expect(act({ act: "restart", target: { by: "workers" } })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      const row = await act({ act: "remove", target }, { confirmation: "acted" });
      expect(row.state).toBe("done");
      const { engine } = await import("../changes/engine");
      const { changeDetail } = await import("../changes/queries");
      await engine().wait(row.id, 1000);
      const evidence = actEvidence.parse((await changeDetail(row.id)).evidence);
      expect(evidence.containers).toMatchObject([{ name: "acted", after: "gone", ok: true }]);
    });

    test("the engine is restarted in the middle of a stop: what is said afterwards is true", async () => {
      await lab.run(
        "slow",
        "trap 'sleep 3; exit 0' TERM; while :; do sleep 0.1; done",
        "--restart",
        "unless-stopped",
      );
      await lab.row("slow");
      const ended = act({ act: "stop", target: { by: "containers", ids: ["slow"] } });
      // Its signal was sent: before that the restart alone would be a change since the plan.
      await until("it is being stopped", async () =>
        lab.collector.find({ host, id: "slow" }).watched.events.some(({ event }) => event === "kill"),
      );
      await lab.own.restart();
      const row = await ended;
      const state = await lab.own.docker("inspect", "-f", "{{.State.Status}}", "slow");
      expect([row.state, state]).toEqual(["done", "exited"]);
    }, 60_000);
  });

  test.each([
    ["start", "exited"],
    ["restart", "running"],
    ["pause", "running"],
    ["unpause", "paused"],
    ["kill", "running"],
    ["remove", "running"],
  ])(
    "the engine is restarted in the middle of %s: what is said is what is",
    async (word, from) => {
      const name = `mid-${word}`;
      // Asked to end it takes a second, so that there is a middle.
      await lab.run(
        name,
        "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done",
        "--restart",
        "on-failure",
      );
      if (from === "exited") await lab.own.docker("kill", name);
      if (from === "paused") await lab.own.docker("pause", name);
      await lab.row(name, ({ state }) => state === from);
      const ended = act({ act: word, target: { by: "containers", ids: [name] } }, { confirmation: name });
      await new Promise((resolve) => setTimeout(resolve, 150));
      await lab.own.halt();
      const downAt = Date.now();
      await lab.own.start();
      const row = await ended;
      const wanted = {
        start: "running",
        restart: "running",
        pause: "paused",
        unpause: "running",
        kill: "exited",
        remove: "gone",
      }[word];
      const after = row.outcome === null ? null : (await changeOf(row.id)).containers[0]?.after;
      if (row.state === "done") expect(after).toBe(wanted);
      else expect(row.state).toBe("failed");
      // What ended before the engine did is true of before: its containers ended with it.
      if (Date.parse(row.finishedAt ?? "") > downAt && after !== null) {
        const now = await lab.own.docker("inspect", "-f", "{{.State.Status}}", name).catch(() => "gone");
        expect(now).toBe(after);
      }
      await lab.own.docker("rm", "-f", name).catch(() => {});
    },
    60_000,
  );

  test("a container of another host is named with its host", async () => {
    // The same engine by another name.
    const both = new ServicesCollector({
      config: () =>
        ({
          systems: { docker: [lab.own.engine, { ...lab.own.engine, name: "empty", socket: "/nowhere" }] },
        }) as never,
    });
    const stop = both.start();
    await lab.run("lives-here", endless);
    await until("it is seen", async () => both.snapshot().rows.some(({ name }) => name === "lives-here"));
    expect(() => both.find({ host: "empty", id: "lives-here" })).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ problem: "services.otherHost" }) }),
    );
    await stop();
    await lab.own.docker("rm", "-f", "lives-here");
  });

  test("an engine that goes: nobody says that things are well; it comes back and all is known again", async () => {
    await lab.run("stays", endless, "--restart", "always");
    await lab.row("stays", ({ verdict }) => verdict === "up");
    await lab.own.halt();
    await until("the host is down", async () => lab.collector.host(host).row().state === "down");
    expect(lab.collector.snapshot().rows.every(({ verdict }) => verdict === "unknown")).toBe(true);
    await lab.own.start();
    await lab.row("stays", ({ verdict }) => verdict === "up" || verdict === "warn", 30_000);
  }, 60_000);
});
