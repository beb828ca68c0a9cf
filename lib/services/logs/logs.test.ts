// Logs of engines of the test's own making: what is told of them, and from where they are followed.
import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { frame, inspectedAs, watchableEngine } from "../../systems/docker/engine.fixture";
import { until } from "../../systems/test-stack";
import { watching } from "../services.fixture";
import { type LogEvent, logQuery } from "./contract";
import { watchLogs } from "./logs";

type Line = readonly [at: string, text: string];

/** A container's log as an engine keeps it: `since` and `until` are inclusive, `tail` counts from the end. */
class Log {
  readonly lines: Line[];
  readonly asked: URLSearchParams[] = [];
  readonly #followers = new Map<ServerResponse, number>();

  constructor(lines: readonly Line[] = []) {
    this.lines = [...lines];
  }

  write(...line: Line): void {
    this.lines.push(line);
    for (const [response, since] of this.#followers) this.#tell(response, [line], since);
  }

  answer(response: ServerResponse, asked: URLSearchParams): void {
    this.asked.push(asked);
    const since = Number(asked.get("since") ?? 0) * 1000;
    const tail = asked.get("tail");
    this.#tell(
      response,
      tail === null ? this.lines : this.lines.slice(this.lines.length - Number(tail)),
      since,
    );
    if (asked.get("follow") === "true") this.#followers.set(response, since);
    else response.end();
  }

  #tell(response: ServerResponse, lines: readonly Line[], since: number): void {
    const told = lines.filter(([at]) => Date.parse(at) >= since);
    // Also where nothing is told the answer begins.
    response.flushHeaders();
    for (const [at, text] of told) response.write(frame(`${at} ${text}\n`));
  }
}

/** An engine with these containers, each with its log. */
async function logsOf(logs: Readonly<Record<string, Log>>, skewMs = 0): Promise<string> {
  const all = Object.keys(logs).map((name) => inspectedAs(name));
  const engine = await watchableEngine(onTestFinished, {
    skewMs,
    containers: () => all,
    other(response, path) {
      const { pathname, searchParams } = new URL(path, "http://engine");
      const name = all.find(({ Id }) => pathname.endsWith(`/containers/${Id}/logs`))?.Name.slice(1);
      logs[name ?? ""]?.answer(response, searchParams);
      return name !== undefined;
    },
  });
  await watching(onTestFinished, engine);
  return engine.name;
}

const asked = (host: string, ids: readonly string[], more: object = {}) =>
  logQuery.parse({ of: ids.map((id) => ({ host, id })), follow: false, ...more });

async function historyOf(query: ReturnType<typeof asked>) {
  for await (const event of watchLogs(query, new AbortController().signal))
    if (event.type === "history") return event;
  throw new Error("no history");
}

const at = (second: number) => new Date(Date.UTC(2026, 10, 24) + second * 1000).toISOString();
const long = (count: number, from: number, characters: number): Line[] =>
  Array.from({ length: count }, (_, index) => [at(from + index), `${index} ${"x".repeat(characters)}`]);

describe("a history of long lines", () => {
  const size = (event: LogEvent & { type: "history" }) =>
    event.lines.reduce((sum, { text }) => sum + text.length, 0);

  test("holds so many characters, the newest lines, and says from when on they are all there", async () => {
    const host = await logsOf({ one: new Log(long(200, 0, 60_000)) });
    const found = await historyOf(asked(host, ["one"], { tail: 2000 }));
    expect(size(found)).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(found.lines.length).toBeGreaterThan(130);
    expect(found.lines.at(-1)?.text).toMatch(/^199 /);
    expect(found.cutBefore).toBe(found.lines[0]?.at);
    expect(found).toMatchObject({ whole: true, scanned: 200 });
  });

  test("is shared by the logs of the question; what would not have been among the newest is not missed", async () => {
    const host = await logsOf({
      early: new Log(long(200, 0, 60_000)),
      late: new Log(long(200, 1000, 60_000)),
      short: new Log(long(100, 2000, 10)),
    });
    const both = await historyOf(asked(host, ["early", "late"], { tail: 2000 }));
    expect(size(both)).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(new Set(both.lines.map(({ from }) => from))).toEqual(new Set([0, 1]));
    // Of the second log nothing is missing from there on, and so of none.
    expect(both.cutBefore).toBe(both.lines.find(({ from }) => from === 1)?.at);
    const few = await historyOf(asked(host, ["early", "short"], { tail: 100 }));
    expect(few).toMatchObject({ cutBefore: null, lines: { length: 100 } });
    expect((await historyOf(asked(host, ["short"], { tail: 0 }))).cutBefore).toBeNull();
  });
});

describe("a followed log", () => {
  /** Everything told by a question that is followed; `lines` are those that came live. */
  function following(host: string, more: object) {
    const stop = new AbortController();
    const told = { history: null as string[] | null, lines: [] as string[], failed: 0 };
    const query = asked(host, ["app"], { follow: true, ...more });
    const ended = (async () => {
      for await (const event of watchLogs(query, stop.signal)) {
        if (event.type === "history") told.history = event.lines.map(({ text }) => text);
        if (event.type === "lines") told.lines.push(...event.lines.map(({ text }) => text));
        if (event.type === "source" && event.state === "failed") told.failed++;
      }
    })();
    onTestFinished(async () => {
      stop.abort();
      await ended;
    });
    return told;
  }
  const old: Line[] = [
    ["2020-01-01T00:00:00.000000001Z", "old"],
    ["2020-01-01T00:00:00.000000002Z", "older than now"],
  ];
  const followed = (log: Log) => log.asked.filter((one) => one.get("follow") === "true");

  test.each([
    ["since a time after its last line", { since: at(0) }],
    ["without any history", { tail: 0 }],
    ["without any history, searched", { tail: 0, search: "e" }],
    ["with its history", {}],
  ])("%s tells what comes, and nothing old as new", async (_name, more) => {
    const log = new Log(old);
    const told = following(await logsOf({ app: log }), more);
    await until("it is followed", async () => followed(log).length > 0);
    log.write("2026-11-24T00:00:01.000000000Z", "new");
    await until("the new line is told", async () => told.lines.length > 0);
    expect(told).toMatchObject({ history: Object.keys(more).length > 0 ? [] : ["old", "older than now"] });
    expect(told.lines).toEqual(["new"]);
    // The engine need not read what is not asked for.
    expect(Number(followed(log)[0]?.get("since"))).toBeGreaterThan(1.5e9);
  });

  test("nothing is lost or doubled that is written between the history and the follow", async () => {
    for (const more of [{}, { since: at(0) }, { tail: 0 }]) {
      const log = new Log(more.tail === 0 ? [[at(0), "first"]] : []);
      const answer = log.answer.bind(log);
      let between = 0;
      log.answer = (response, params) => {
        if (params.get("follow") === "true" && between++ === 0) log.write(at(1), "between");
        answer(response, params);
      };
      const told = following(await logsOf({ app: log }), more);
      await until("it is told", async () => told.lines.length > 0);
      log.write(at(2), "after");
      await until("what comes is told", async () => told.lines.length > 1);
      expect(told.lines).toEqual(["between", "after"]);
    }
  });

  test("whose history failed is followed from the engine's time on, by the engine's clock", async () => {
    const skewMs = -11 * 60_000;
    const log = new Log(old);
    const answer = log.answer.bind(log);
    log.answer = (response, params) => {
      if (params.get("follow") === "true") answer(response, params);
      else response.writeHead(500).end('{"message":"cannot be read"}');
    };
    const told = following(await logsOf({ app: log }, skewMs), {});
    await until("it is followed", async () => followed(log).length > 0);
    log.write(new Date(Date.now() + skewMs + 1000).toISOString(), "new");
    await until("the new line is told", async () => told.lines.length > 0);
    expect(told).toMatchObject({ lines: ["new"], failed: 1 });
  });
});
