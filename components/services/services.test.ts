// What an address means for the list, and what an event makes of it.
import { describe, expect, test } from "vitest";
import type { ServiceRow } from "@/lib/services/contract";
import { piecesOf } from "./ansi";
import { LogBuffer, maxLines } from "./log-buffer";
import { queryOf } from "./logs-page";
import { applied, type ServicesState } from "./use-services";
import { grouped, type SwarmRow, swarmRows, viewOf, withWord } from "./words";

const row = (name: string, more: Partial<ServiceRow> = {}): ServiceRow => ({
  host: "local",
  id: name,
  name,
  project: "p",
  service: name,
  image: "nginx:1",
  imageId: "sha256:1",
  state: "running",
  health: null,
  verdict: "up",
  reasons: ["running"],
  exitCode: null,
  oom: false,
  restarts: 0,
  deaths: 0,
  createdAt: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: null,
  cpuLimit: null,
  memoryLimited: false,
  usage: null,
  spark: [1, 2, 3],
  sparkStep: 10,
  update: null,
  self: false,
  worker: false,
  task: false,
  ...more,
});
const view = (text: string) => viewOf(new URLSearchParams(text));
const names = (text: string, rows: ServiceRow[]) =>
  grouped(rows, view(text)).map((group) => group.rows.map(({ name }) => name));
const used = (cpu: number) => ({
  at: 0,
  cpu,
  memory: 1,
  memoryLimit: 1,
  rx: 0,
  tx: 0,
  read: 0,
  written: 0,
  pids: 1,
});

describe("the list", () => {
  const rows = [
    row("b", { usage: used(0.5) }),
    row("a"),
    row("bad", { project: "z", verdict: "down" }),
    row("worker", { project: null, verdict: "idle", image: "team/app:2" }),
  ];

  test("worst groups and rows first, else by name; what is nobody's last", () => {
    expect(names("", rows)).toEqual([["bad"], ["a", "b"], ["worker"]]);
    expect(names("sort=cpu", rows)).toEqual([["b", "a"], ["bad"], ["worker"]]);
  });

  test("filters; nonsense in an address is left out", () => {
    expect(names("state=down", rows)).toEqual([["bad"]]);
    expect(names("q=TEAM/app", rows)).toEqual([["worker"]]);
    expect(names("project=p&q=a", rows)).toEqual([["a"]]);
    expect(names("state=nonsense&sort=nonsense&hide=nonsense", rows)).toHaveLength(3);
    expect(view("hide=cpu,image,x").hidden).toEqual(new Set(["cpu", "image"]));
    expect(withWord(new URLSearchParams("q=a&sort=cpu"), "q", "")).toBe("/services?sort=cpu");
  });
});

test("events: a snapshot, changes, what is used; a line moves on, with gaps where nobody told", () => {
  const first: ServicesState = { stream: "connecting", error: null, hosts: [], rows: new Map() };
  let state = applied(first, {
    type: "snapshot",
    at: "2026-01-01T00:00:00Z",
    hosts: [],
    rows: [row("a"), row("b")],
  });
  state = applied(state, { type: "rows", hosts: [], rows: [row("c")], gone: ["b"] });
  expect([...state.rows.keys()]).toEqual(["a", "c"]);
  const usage = { a: used(0.25), gone: used(1) };
  state = applied(state, { type: "usage", at: "2026-01-01T00:00:02Z", usage, step: 12, spark: { a: 9 } });
  expect(state.rows.get("a")).toMatchObject({ usage: { cpu: 0.25 }, spark: [3, -1, 9], sparkStep: 12 });
  state = applied(state, { type: "usage", at: "2026-01-01T00:00:03Z", usage: {}, step: 12, spark: { a: 7 } });
  expect(state.rows.get("a")?.spark).toEqual([3, -1, 9]);
});

describe("lines of a log", () => {
  const line = (at: string, text = at) => ({
    at,
    text,
    stream: "stdout" as const,
    cut: 0,
    from: 0,
    level: null,
  });

  test("late ones go where they belong; what was left out is said once", () => {
    const buffer = new LogBuffer();
    buffer.add([line("1"), line("3")]);
    buffer.add([], 5);
    buffer.add([line("2"), line("4")], 2);
    expect(buffer.lines.map(({ at, dropped }) => [at, dropped])).toEqual([
      ["1", 0],
      ["2", 7],
      ["3", 0],
      ["4", 0],
    ]);
  });

  test("a million lines cost what fifty thousand do", () => {
    const buffer = new LogBuffer();
    for (let batch = 0; batch < 20; batch++)
      buffer.add(
        Array.from({ length: 50_000 }, (_, index) => line(String(batch * 50_000 + index).padStart(9, "0"))),
      );
    expect(buffer.lines).toHaveLength(maxLines);
    expect(buffer.lines.at(-1)?.text).toBe("000999999");
  });

  test("colours, and what else a terminal understands", () => {
    expect(piecesOf("\u001b[1;31mred\u001b[0m plain\u001b[2K \u001b[38;5;2mgreen\u0007")).toEqual([
      { text: "red", colour: "red", bold: true, dim: false },
      { text: " plain", colour: null, bold: false, dim: false },
      { text: " ", colour: null, bold: false, dim: false },
      { text: "green", colour: "green", bold: false, dim: false },
    ]);
    expect(piecesOf("")).toEqual([]);
  });
});

describe("a Swarm's services among the containers", () => {
  const service = (name: string, more: object = {}): SwarmRow =>
    swarmRows([
      {
        host: "local",
        nodes: [],
        services: [
          {
            id: name,
            name,
            stack: "shop",
            image: "app:1",
            replicas: 2,
            running: 2,
            desired: 2,
            updatedAt: null,
            update: null,
            tasks: [],
            ...more,
          },
        ],
      },
    ])[0] as SwarmRow;

  test.each([
    [{}, "up"],
    [{ running: 0 }, "down"],
    [{ running: 1 }, "warn"],
    [{ running: 0, desired: 0 }, "idle"],
    [{ update: { state: "updating", message: "", at: null } }, "starting"],
    [{ update: { state: "paused", message: "", at: null } }, "down"],
    [{ update: { state: "rollback_completed", message: "", at: null } }, "warn"],
  ])("%j is %s", (more, verdict) => {
    expect(service("a", more).verdict).toBe(verdict);
  });

  test("one without any task stands in its stack's group, and makes it the first", () => {
    const rows = [row("web", { project: "p" }), row("task", { project: "shop" })];
    const groups = grouped(rows, viewOf(new URLSearchParams()), [service("none", { running: 0 })]);
    expect(
      groups.map(({ project, worst, swarm }) => [project, worst, swarm.map(({ name }) => name)]),
    ).toEqual([
      ["shop", "down", ["none"]],
      ["p", "up", []],
    ]);
    expect(grouped(rows, viewOf(new URLSearchParams("q=zzz")), [service("none")])).toEqual([]);
  });
});

test("what is not understood of an address is said", () => {
  const { ignored } = viewOf(new URLSearchParams("state=broken&sort=cpu&hide=cpu,colour"));
  expect(ignored).toEqual(["state=broken", "hide=colour"]);
  const asked = queryOf(new URLSearchParams("of=a/b&since=yesterday&level=loud"));
  expect(asked?.ignored).toEqual(["level=loud", "since=yesterday"]);
  expect(asked?.query).not.toHaveProperty("levels");
  const many = new URLSearchParams(Array.from({ length: 21 }, (_, index) => ["of", `a/b${index}`]));
  expect(queryOf(many)).toMatchObject({ ignored: ["of=a/b20"], query: { of: { length: 20 } } });
});
