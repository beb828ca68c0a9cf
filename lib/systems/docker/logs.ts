// A container's log, line by line with its time, as the engine keeps it.
import { AppError } from "../../errors/app-error";
import { containerRef } from "./containers";
import { dial, foreignError, openStream, whereOf } from "./engine";
import { FrameParser, type LogStream, type RawLine } from "./frames";
import type { DockerEngine } from "./target";

/** One line. `at`: RFC 3339 with nanoseconds by the engine's clock, which sorts as text. */
export type LogLine = {
  readonly at: string;
  readonly stream: LogStream;
  readonly text: string;
  /** Bytes that were cut from a line too long to be shown. */
  readonly cut: number;
};

export type LogOptions = {
  /** Of a Swarm's service, from all nodes, instead of a container: a manager gathers it. */
  readonly ofService?: boolean;
  readonly tty: boolean;
  readonly follow: boolean;
  /** Seconds since the epoch, with a fraction. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** The last so many lines of what `since` and `until` allow. */
  readonly tail?: number | undefined;
};

/** Every line begins with its time, because we ask for `timestamps`. A line without (a corrupt log) keeps the time before. */
function lineOf(raw: RawLine, before: string): LogLine {
  const space = raw.text.indexOf(" ");
  const head = space === -1 ? raw.text : raw.text.slice(0, space);
  const dated = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(head);
  return {
    at: dated ? sortable(head) : before,
    stream: raw.stream,
    text: dated ? (space === -1 ? "" : raw.text.slice(space + 1)) : raw.text,
    cut: raw.cut,
  };
}

/** Nine digits always, so that text order is time order. */
function sortable(at: string): string {
  const [whole = at, fraction = ""] = at.replace(/Z$/, "").split(".");
  return at.endsWith("Z") ? `${whole}.${fraction.padEnd(9, "0")}Z` : at;
}

/** The lines in batches, as they come; ends with the log's end, or with the container when it follows. Throws as `openStream`. */
export async function* readLog(
  engine: DockerEngine,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogLine[], void> {
  const { tty, follow, since, until, tail, ofService = false } = options;
  const stream = await openStream(
    engine,
    (docker, abortSignal) =>
      // Not container.logs(): without `follow` that reads everything into memory first.
      dial(docker, {
        path: `/${ofService ? "services" : "containers"}/${containerRef(id)}/logs?`,
        method: "GET",
        statusCodes: { 200: true },
        isStream: true,
        abortSignal,
        options: {
          follow,
          stdout: true,
          stderr: true,
          timestamps: true,
          ...(since === undefined ? {} : { since: since.toFixed(9) }),
          ...(until === undefined ? {} : { until: until.toFixed(9) }),
          ...(tail === undefined ? {} : { tail }),
        },
      }),
    signal,
  );
  const parser = new FrameParser(tty);
  let before = "";
  const dated = (lines: RawLine[]): LogLine[] =>
    lines.map((raw) => {
      const line = lineOf(raw, before);
      before = line.at;
      return line;
    });
  try {
    for await (const chunk of stream) {
      const lines = dated(parser.push(chunk as Buffer));
      if (lines.length > 0) yield lines;
    }
    const rest = dated(parser.end());
    if (rest.length > 0) yield rest;
  } catch (error) {
    if (error instanceof RangeError)
      throw new AppError("BAD_ANSWER", `Docker at ${whereOf(engine)}: ${error.message}`, {
        problem: "docker.garbage",
        params: { system: engine.name },
        cause: error,
      });
    throw foreignError(engine, error);
  } finally {
    stream.destroy();
  }
}
