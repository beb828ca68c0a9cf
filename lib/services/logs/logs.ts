// Logs of several containers as one: their history in time order, then what comes, filtered here and never faster than shown.
import { setTimeout as sleep } from "node:timers/promises";
import { RE2JS } from "re2js";
import { AppError, toAppError } from "../../errors/app-error";
import { type LogLine, readLog } from "../../systems/docker/logs";
import type { HostWatch } from "../host-watch";
import { checkRange, services } from "../service";
import type { Watched } from "../watched";
import type { LogEvent, LogQuery, ShownLine } from "./contract";
import { recognise, withoutColours } from "./level";

/** Lines of history one question reads at most, over all its containers, and for how long. */
const maxScanned = 1_000_000;
const maxScanMs = 20_000;
/** Live lines are told so often, at most so many: 4,000 a second are more than anybody reads. */
const flushMs = 250;
const maxFlush = 1000;
const tickMs = 5000;
/** What waits for a slow reader at most, bytes of text. */
const maxWaiting = 4 * 1024 * 1024;

/** One log of the question: a container's, or (`watched` null) that of a Swarm's service by this id. */
type Source = {
  readonly from: number;
  readonly host: HostWatch;
  readonly id: string;
  readonly watched: Watched | null;
};
type Keep = (line: LogLine, from: number) => ShownLine | null;

/** The filter of a query. Throws AppError INVALID_INPUT for a bad expression. */
function filterOf(query: LogQuery): Keep {
  const { search = "", levels, stream } = query;
  const matches = matcher(search, query.regex);
  return (line, from) => {
    if (stream !== undefined && line.stream !== stream) return null;
    if (matches !== null && !matches(withoutColours(line.text))) return null;
    const { level } = recognise(line.text);
    if (levels !== undefined && levels.length > 0 && (level === null || !levels.includes(level))) return null;
    return { ...line, from, level };
  };
}

function matcher(search: string, regex: boolean): ((text: string) => boolean) | null {
  if (search === "") return null;
  if (!regex) {
    const wanted = search.toLowerCase();
    return (text) => text.toLowerCase().includes(wanted);
  }
  try {
    const compiled = RE2JS.compile(search, RE2JS.CASE_INSENSITIVE);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("INVALID_INPUT", `The search is no regular expression (RE2): ${reason}`, {
      problem: "services.badSearch",
      params: { reason },
      field: "search",
      cause: error,
    });
  }
}

const seconds = (at: string | undefined): number | undefined =>
  at === undefined ? undefined : Date.parse(at) / 1000;
const byTime = (a: ShownLine, b: ShownLine): number => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);

/** How a log is asked for. A service's tasks hardly ever have a terminal, and the Swarm does not say. */
const formOf = (watched: Watched | null): { tty: boolean; ofService: boolean } => ({
  tty: watched?.inspected.Config.Tty === true,
  ofService: watched === null,
});

function sourcesOf(query: LogQuery): Source[] {
  checkRange(seconds(query.since), seconds(query.until));
  return query.of.map((ref, from) => {
    if (ref.kind === "swarm") return { from, host: services().host(ref.host), id: ref.id, watched: null };
    const { host, watched } = services().find(ref);
    return { from, host, id: watched.id, watched };
  });
}

/** Reads one container's history; answers the newest `tail` lines that are kept, and how far it came. */
async function history(
  { from, host, id, watched }: Source,
  query: LogQuery,
  keep: Keep,
  budget: { left: number },
  signal: AbortSignal,
): Promise<{ lines: ShownLine[]; last: string; whole: boolean }> {
  const filtered = Boolean(query.search) || Boolean(query.levels?.length) || query.stream !== undefined;
  const options = {
    ...formOf(watched),
    follow: false,
    since: seconds(query.since),
    until: seconds(query.until),
    // Without a filter the engine itself finds the end of the log. With `until` it does not: it would count from the end.
    tail: filtered || query.until !== undefined ? budget.left : query.tail,
  };
  let lines: ShownLine[] = [];
  let last = "";
  let whole = true;
  try {
    for await (const batch of readLog(host.engine, id, options, signal)) {
      for (const line of batch) {
        last = line.at;
        const shown = keep(line, from);
        if (shown !== null) lines.push(shown);
      }
      budget.left -= batch.length;
      if (lines.length > query.tail * 2) lines = lines.slice(-query.tail);
      if (budget.left <= 0) {
        whole = false;
        break;
      }
    }
  } catch (error) {
    // Out of time: what was found is shown, and said to be a part.
    if (!signal.aborted) throw error;
    whole = false;
  }
  return { lines: query.tail === 0 ? [] : lines.slice(-query.tail), last, whole };
}

/**
 * The history, then (with `follow`) what comes, until `signal` aborts. Throws AppError INVALID_INPUT, NOT_FOUND; a container
 * whose log cannot be read is told as an event, and the others go on.
 */
export async function* watchLogs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogEvent, void> {
  const sources = sourcesOf(query);
  const keep = filterOf(query);
  const budget = { left: maxScanned };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(maxScanMs)]);
  const failed: LogEvent[] = [];
  const read = await Promise.all(
    sources.map(async (source) => {
      try {
        return await history(source, query, keep, budget, limited);
      } catch (error) {
        failed.push(failure(source.from, error));
        return { lines: [], last: "", whole: false };
      }
    }),
  );
  const lines = read.flatMap((one) => one.lines).sort(byTime);
  yield {
    type: "history",
    lines: query.tail === 0 ? [] : lines.slice(-query.tail),
    scanned: maxScanned - budget.left,
    whole: read.every(({ whole }) => whole),
  };
  yield* failed;
  if (!query.follow || query.until !== undefined || signal.aborted) return;
  yield* live(
    sources,
    read.map(({ last }) => last),
    keep,
    signal,
  );
}

function failure(from: number, error: unknown): LogEvent {
  const { code, message } = toAppError(error);
  return { type: "source", from, state: "failed", code, message };
}

/** What waits to be told: bounded, the newest is kept. */
class Waiting {
  lines: ShownLine[] = [];
  dropped = 0;
  events: LogEvent[] = [];
  #bytes = 0;

  add(line: ShownLine): void {
    this.lines.push(line);
    this.#bytes += line.text.length;
    if (this.lines.length > maxFlush * 2 || this.#bytes > maxWaiting) this.#drop(maxFlush);
  }

  take(): { lines: ShownLine[]; dropped: number } {
    if (this.lines.length > maxFlush) this.#drop(maxFlush);
    const taken = { lines: this.lines.sort(byTime), dropped: this.dropped };
    this.lines = [];
    this.dropped = 0;
    this.#bytes = 0;
    return taken;
  }

  #drop(keep: number): void {
    let from = Math.max(0, this.lines.length - keep);
    let bytes = this.lines.slice(from).reduce((sum, { text }) => sum + text.length, 0);
    for (; bytes > maxWaiting && from < this.lines.length - 1; from++)
      bytes -= this.lines[from]?.text.length ?? 0;
    this.dropped += from;
    this.lines = this.lines.slice(from);
    this.#bytes = bytes;
  }
}

async function* live(
  sources: readonly Source[],
  last: readonly string[],
  keep: Keep,
  signal: AbortSignal,
): AsyncGenerator<LogEvent, void> {
  const waiting = new Waiting();
  const control = new AbortController();
  const stop = () => control.abort();
  signal.addEventListener("abort", stop, { once: true });
  const following = sources.map((source, index) =>
    follow(source, last[index] ?? "", keep, waiting, control.signal),
  );
  let tickAt = Date.now();
  try {
    while (!signal.aborted) {
      await sleep(flushMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      for (const event of waiting.events.splice(0)) yield event;
      const { lines, dropped } = waiting.take();
      if (lines.length > 0 || dropped > 0) yield { type: "lines", lines, dropped };
      if (Date.now() - tickAt >= tickMs) {
        tickAt = Date.now();
        yield { type: "tick", at: new Date(tickAt).toISOString() };
      }
    }
  } finally {
    control.abort();
    signal.removeEventListener("abort", stop);
    await Promise.all(following);
  }
}

/** Follows one container, over its restarts and its replacement by another of the same name. Never throws. */
async function follow(
  source: Source,
  from: string,
  keep: Keep,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  const { host } = source;
  let { watched } = source;
  let last = from;
  for (let told: "ended" | "failed" | null = null; !signal.aborted; ) {
    const begun = last;
    try {
      const options = {
        ...formOf(watched),
        follow: true,
        // The engine's own clock, as its lines say it. Without any line yet, everything there is.
        ...(last === "" ? {} : { since: Number.parseFloat((Date.parse(last) / 1000).toFixed(3)) }),
      };
      for await (const batch of readLog(host.engine, watched?.id ?? source.id, options, signal)) {
        if (told !== null) {
          waiting.events.push({
            type: "source",
            from: source.from,
            state: "again",
            code: null,
            message: null,
          });
          told = null;
        }
        for (const line of batch) {
          // `since` has milliseconds, and begins with what was told already.
          if (line.at <= begun) continue;
          last = line.at;
          const shown = keep(line, source.from);
          if (shown !== null) waiting.add(shown);
        }
      }
      if (told !== "ended")
        waiting.events.push({ type: "source", from: source.from, state: "ended", code: null, message: null });
      told = "ended";
    } catch (error) {
      if (signal.aborted) return;
      const { code } = toAppError(error);
      if (told === null && code !== "NOT_FOUND") waiting.events.push(failure(source.from, error));
      told ??= "failed";
    }
    watched = await runsAgain(host, watched, signal);
  }
}

/** Resolves with the container that runs under this name again. */
async function runsAgain(
  host: HostWatch,
  before: Watched | null,
  signal: AbortSignal,
): Promise<Watched | null> {
  while (!signal.aborted) {
    await sleep(500, undefined, { signal }).catch(() => {});
    if (before === null) {
      if (host.up) return null;
      continue;
    }
    const now = [...host.containers.values()].find(({ name }) => name === before.name);
    if (now?.running && host.up) return now;
  }
  return before;
}

/** A whole log as text, a line each, for a file: bounded by the query's range only. Throws as `watchLogs`. */
export async function* logText(query: LogQuery, signal: AbortSignal): AsyncGenerator<string, void> {
  const sources = sourcesOf(query);
  const keep = filterOf(query);
  const open = sources.map(({ from, host, id, watched }) => {
    const options = {
      ...formOf(watched),
      follow: false,
      since: seconds(query.since),
      until: seconds(query.until),
    };
    return {
      name: watched?.name ?? id,
      lines: flat(readLog(host.engine, id, options, signal), keep, from),
    };
  });
  // A merge that holds one line of each: the file is as long as it is, our memory is not.
  const heads = await Promise.all(open.map(({ lines }) => lines.next()));
  let text = "";
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      const other = heads[first];
      if (!head.done && (other === undefined || other.done || head.value.at < other.value.at)) first = index;
    }
    const head = heads[first];
    const source = open[first];
    if (head === undefined || head.done || source === undefined) break;
    const { at, text: said, cut } = head.value;
    text += `${at} ${open.length > 1 ? `${source.name} ` : ""}${said}${cut > 0 ? ` … (+${cut} bytes)` : ""}\n`;
    heads[first] = await source.lines.next();
    if (text.length > 64 * 1024) {
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}

async function* flat(
  batches: AsyncIterable<LogLine[]>,
  keep: Keep,
  from: number,
): AsyncGenerator<ShownLine, void> {
  for await (const batch of batches)
    for (const line of batch) {
      const shown = keep(line, from);
      if (shown !== null) yield shown;
    }
}
