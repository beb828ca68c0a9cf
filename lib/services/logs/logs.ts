// Logs of several containers as one: their history in time order, then what comes, filtered here and never faster than shown.
import { setTimeout as sleep } from "node:timers/promises";
import { RE2JS } from "re2js";
import { AppError, toAppError } from "../../errors/app-error";
import { type LogLine, readLog } from "../../systems/docker/logs";
import { engineNow } from "../clock";
import type { HostWatch } from "../host-watch";
import { checkRange, services } from "../service";
import type { Watched } from "../watched";
import type { LogEvent, LogQuery, ShownLine } from "./contract";
import { recognise, withoutColours } from "./level";

/** Lines of history one question reads at most, over all its containers, and for how long. */
const maxScanned = 1_000_000;
const maxScanMs = 20_000;
/** Read before the many, so that the newest are there whatever time it takes. */
const fewLines = 20_000;
/** Live lines are told so often, at most so many: 4,000 a second are more than anybody reads. */
const flushMs = 250;
const maxFlush = 1000;
const tickMs = 5000;
/** Characters of text: what is told of live lines at once, and what one question's history holds, over all its logs. */
const maxWaiting = 2 * 1024 * 1024;
const maxHistory = 8 * 1024 * 1024;

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

/** How much one log of a question may take: lines read of it, and characters kept. */
type Share = { readonly lines: number; readonly text: number };

/** The newest lines, as many as may be kept: never more than twice that are held. */
class Newest {
  #lines: ShownLine[] = [];
  #dropped = 0;
  #text = 0;
  readonly #most: number;
  readonly #maxText: number;

  constructor(most: number, maxText: number) {
    this.#most = most;
    this.#maxText = maxText;
  }

  add(line: ShownLine): void {
    this.#lines.push(line);
    this.#text += line.text.length;
    if (this.#lines.length > this.#most * 2 || this.#text > this.#maxText * 2) this.#trim();
  }

  /** What is kept, and how many were left out before it; then it is empty. */
  take(): { lines: ShownLine[]; dropped: number } {
    this.#trim();
    const taken = { lines: this.#lines, dropped: this.#dropped };
    [this.#lines, this.#dropped, this.#text] = [[], 0, 0];
    return taken;
  }

  #trim(): void {
    let text = 0;
    let from = this.#lines.length;
    for (; from > 0 && this.#lines.length - from < this.#most; from--) {
      const next = this.#lines[from - 1]?.text.length ?? 0;
      if (text + next > this.#maxText) break;
      text += next;
    }
    this.#dropped += from;
    this.#lines = this.#lines.slice(from);
    this.#text = text;
  }
}

/** From where a log is followed: after its last line that was told, else since then (seconds, by the engine's clock). */
type Begin = { readonly last: string; readonly since: number | undefined };

type Found = {
  readonly lines: ShownLine[];
  /** Of the first line, where there would be more if they were not too long together. */
  readonly cutBefore: string | null;
  /** When the last line that was read was written; "" when there is none. */
  readonly last: string;
  /** The log was read to its end. */
  readonly ended: boolean;
  readonly scanned: number;
  /** What was not searched lies before `since`, or after `until`. */
  readonly since: string | null;
  readonly until: string | null;
};

/**
 * The newest `tail` lines of a container's history that are kept, as far as its share goes. An engine reads its log from the oldest
 * on, or the newest so many: so the newest few are read first, and are what is told if time is up before the many are read.
 */
async function history(
  source: Source,
  query: LogQuery,
  keep: Keep,
  share: Share,
  signals: { readonly outer: AbortSignal; readonly limited: AbortSignal },
): Promise<Found> {
  // Nothing is to be shown: the last line says where to go on.
  if (query.tail === 0) return readSome(source, query, keep, 1, share, signals.limited);
  const filtered = Boolean(query.search) || Boolean(query.levels?.length) || query.stream !== undefined;
  // With `until` the engine would count its newest lines from the log's end, not from there: then it is read from the oldest on.
  if (query.until !== undefined) return readSome(source, query, keep, undefined, share, signals.limited);
  if (!filtered) return readSome(source, query, keep, query.tail, share, signals.limited);
  const few = await readSome(source, query, keep, Math.min(fewLines, share.lines), share, signals.limited);
  if (few.since === null || signals.limited.aborted) return few;
  const many = await readSome(source, query, keep, share.lines, share, signals.limited);
  signals.outer.throwIfAborted();
  return many.until === null ? many : few;
}

/** Reads the newest `newest` lines (all when undefined) from the oldest of them on, at most its share. */
async function readSome(
  { from, host, id, watched }: Source,
  query: LogQuery,
  keep: Keep,
  newest: number | undefined,
  share: Share,
  signal: AbortSignal,
): Promise<Found> {
  const options = {
    ...formOf(watched),
    follow: false,
    since: seconds(query.since),
    until: seconds(query.until),
    ...(newest === undefined ? {} : { tail: newest }),
  };
  const kept = new Newest(query.tail, share.text);
  let [first, last, scanned] = ["", "", 0];
  let whole = true;
  try {
    for await (const batch of readLog(host.engine, id, options, signal)) {
      for (const line of batch) {
        if (first === "") first = line.at;
        last = line.at;
        const shown = keep(line, from);
        if (shown !== null) kept.add(shown);
      }
      scanned += batch.length;
      if (scanned >= share.lines && newest === undefined) {
        whole = false;
        break;
      }
    }
  } catch (error) {
    // Out of time: what was found is shown, and said to be a part.
    if (!signal.aborted) throw error;
    whole = false;
  }
  const { lines, dropped } = kept.take();
  return {
    lines,
    cutBefore: dropped > 0 && lines.length < query.tail ? (lines[0]?.at ?? last) : null,
    last,
    ended: whole,
    scanned,
    since: newest !== undefined && newest > Math.max(query.tail, 1) && scanned >= newest ? first : null,
    until: whole ? null : last,
  };
}

/**
 * The history, then (with `follow`) what comes, until `signal` aborts. Throws AppError INVALID_INPUT, NOT_FOUND; a container
 * whose log cannot be read is told as an event, and the others go on.
 */
export async function* watchLogs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogEvent, void> {
  const sources = sourcesOf(query);
  const keep = filterOf(query);
  // Each has its share: a long log must not keep the others' newest lines from being read.
  const share = {
    lines: Math.floor(maxScanned / sources.length),
    text: Math.floor(maxHistory / sources.length),
  };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(maxScanMs)]);
  const failed: LogEvent[] = [];
  const since = seconds(query.since);
  const read = await Promise.all(
    sources.map(async (source) => {
      const asked = engineNow(source.host) / 1000;
      const found = await history(source, query, keep, share, { outer: signal, limited }).catch(
        (error: unknown): Found => {
          failed.push(failure(source.from, error));
          return { lines: [], cutBefore: null, last: "", ended: false, scanned: 0, since: null, until: null };
        },
      );
      // A log that is empty is followed from its beginning, whatever the clocks say: nothing that is written meanwhile is lost.
      const begin = { last: found.last, since: since ?? (found.ended ? undefined : asked) };
      return { ...found, begin };
    }),
  );
  const all = read.flatMap((one) => one.lines).sort(byTime);
  const lines = query.tail === 0 ? [] : all.slice(-query.tail);
  // The last of them: from there on nothing is missing of any.
  const cutBefore = lastOf(read.flatMap((one) => one.cutBefore ?? []));
  yield {
    type: "history",
    lines,
    // What would not have been among the newest anyway is not missed.
    cutBefore:
      all.length >= query.tail && cutBefore !== null && cutBefore <= (lines[0]?.at ?? "") ? null : cutBefore,
    scanned: read.reduce((sum, { scanned }) => sum + scanned, 0),
    whole: read.every(({ since, until }) => since === null && until === null),
    searched: {
      // Of several logs the part that was searched in all of them.
      since: lastOf(read.flatMap(({ since }) => since ?? [])),
      until: read.flatMap(({ until }) => until ?? []).sort()[0] ?? null,
    },
  };
  yield* failed;
  if (!query.follow || query.until !== undefined || signal.aborted) return;
  yield* live(
    sources,
    read.map(({ begin }) => begin),
    keep,
    signal,
  );
}

const lastOf = (times: string[]): string | null => times.sort().at(-1) ?? null;

function failure(from: number, error: unknown): LogEvent {
  const { code, message } = toAppError(error);
  return { type: "source", from, state: "failed", code, message };
}

/** What waits to be told: bounded, the newest is kept. */
type Waiting = { readonly lines: Newest; readonly events: LogEvent[] };

async function* live(
  sources: readonly Source[],
  begins: readonly Begin[],
  keep: Keep,
  signal: AbortSignal,
): AsyncGenerator<LogEvent, void> {
  const waiting: Waiting = { lines: new Newest(maxFlush, maxWaiting), events: [] };
  const control = new AbortController();
  const stop = () => control.abort();
  signal.addEventListener("abort", stop, { once: true });
  const following = sources.map((source, index) =>
    follow(source, begins[index] ?? { last: "", since: undefined }, keep, waiting, control.signal),
  );
  let tickAt = Date.now();
  try {
    while (!signal.aborted) {
      await sleep(flushMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      for (const event of waiting.events.splice(0)) yield event;
      const { lines, dropped } = waiting.lines.take();
      if (lines.length > 0 || dropped > 0) yield { type: "lines", lines: lines.sort(byTime), dropped };
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
  { last, since }: Begin,
  keep: Keep,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<void> {
  const { host } = source;
  let { watched } = source;
  for (let told: "ended" | "failed" | null = null; !signal.aborted; ) {
    const begun = last;
    try {
      const options = {
        ...formOf(watched),
        follow: true,
        // The engine's own clock, as its lines say it; a hair before the last one, which is told already.
        since: last === "" ? since : (Date.parse(last) - 1) / 1000,
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
          if (line.at <= begun) continue;
          last = line.at;
          const shown = keep(line, source.from);
          if (shown !== null) waiting.lines.add(shown);
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
