"use client";
// A log as it comes: asked for once for a question, followed until the page leaves.
import { useEffect, useRef, useState } from "react";
import { problemOf } from "@/components/ui/problem";
import { api } from "@/lib/api/client";
import { keepListening } from "@/lib/live/client";
import type { LogEvent, LogQuery } from "@/lib/services/logs/contract";
import { type BufferedLine, LogBuffer } from "./log-buffer";

export type LogState = {
  readonly lines: readonly BufferedLine[];
  readonly state: "loading" | "live" | "ended" | "broken";
  readonly error: unknown;
  /** What the search went through, and whether that was everything. */
  readonly scanned: number;
  readonly whole: boolean;
  readonly searched: { readonly since: string | null; readonly until: string | null };
  /** Lines from before this time are not shown, because together they are too long; null: none. */
  readonly cutBefore: string | null;
  /** What was left out since the beginning, because it came too fast. */
  readonly dropped: number;
  /** By index of the question's containers: why one is silent. */
  readonly sources: ReadonlyMap<number, { state: "ended" | "failed"; message: string | null }>;
};

const nothing: LogState = {
  lines: [],
  state: "loading",
  error: null,
  scanned: 0,
  whole: true,
  searched: { since: null, until: null },
  cutBefore: null,
  dropped: 0,
  sources: new Map(),
};

/** Errors of the question itself: asking again gives the same. */
const hopeless = new Set(["INVALID_INPUT", "NOT_FOUND", "FORBIDDEN"]);

/** `asked` is the question as JSON: another text is another question. */
export function useLog(asked: string): LogState {
  const [state, setState] = useState(nothing);
  const buffer = useRef(new LogBuffer());
  useEffect(() => {
    const query = JSON.parse(asked) as LogQuery;
    const stop = new AbortController();
    buffer.current = new LogBuffer();
    setState(nothing);
    const take = (event: LogEvent) => {
      const held = buffer.current;
      if (event.type === "history") {
        // A new connection tells the history anew.
        held.clear();
        held.add(event.lines);
        const { scanned, whole, searched, cutBefore } = event;
        const following = query.follow !== false && query.until === undefined;
        setState({
          ...nothing,
          lines: held.lines,
          state: following ? "live" : "ended",
          scanned,
          whole,
          searched,
          cutBefore,
        });
      } else if (event.type === "lines") {
        held.add(event.lines, event.dropped);
        setState((now) => ({
          ...now,
          state: "live",
          lines: held.lines,
          dropped: now.dropped + event.dropped,
        }));
      } else if (event.type === "source") {
        const { from, state: told, message } = event;
        setState((now) => {
          const sources = new Map(now.sources);
          if (told === "again") sources.delete(from);
          else sources.set(from, { state: told, message });
          return { ...now, sources };
        });
      } else setState((now) => (now.state === "broken" ? { ...now, state: "live" } : now));
    };
    void keepListening((signal) => api.services.logs(query, { signal }), stop.signal, {
      event: take,
      broken: (_failures, error) => {
        if (error === null && (query.follow === false || query.until !== undefined)) return false;
        setState((now) => ({ ...now, state: "broken", error }));
        return !hopeless.has(problemOf(error).code);
      },
    });
    return () => stop.abort();
  }, [asked]);
  return state;
}
