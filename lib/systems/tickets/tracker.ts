// What every tracker of tickets can do for us, and how it is asked: one HTTP call whose refusals are told apart.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";

/** Who is asked, with which credentials. */
export type TrackerApi = {
  readonly name: string;
  /** Base address, perhaps with a path. */
  readonly url: string;
  /** Milliseconds for one call. */
  readonly timeout: number;
  readonly headers: Readonly<Record<string, string>>;
};

export type Ticket = {
  /** What its API calls it. */
  readonly id: string;
  /** What people call it: "#12", "OPS-3". */
  readonly key: string;
  readonly url: string;
};
export type FoundTicket = Ticket & { readonly open: boolean };
/** Markdown, and the address it is about. */
export type TicketText = { readonly link: string; readonly markdown: string };

/** Every call throws as `ask` does. */
export type Tracker = {
  /** The newest one with this label that was made after `since`; null when there is none. */
  find(label: string, since: Date): Promise<FoundTicket | null>;
  /** Null when it is gone. */
  read(id: string): Promise<FoundTicket | null>;
  create(title: string, text: TicketText, labels: readonly string[]): Promise<Ticket>;
  /** Once for each `mark`, which stands in it; `since`: nothing older can be it. */
  comment(id: string, text: TicketText, mark: string, since: Date): Promise<void>;
  setOpen(id: string, open: boolean): Promise<void>;
  /** Whether tickets could be made there: throws when not. Makes none. */
  check(): Promise<void>;
};

const answerBytes = 4 * 1024 * 1024;
/** As GitHub wants it where it names no time. */
const limitMs = 60_000;
const longestMs = 6 * 3_600_000;

const saysOf = (body: Uint8Array): string =>
  Buffer.from(body)
    .toString("utf8")
    .replace(/[^\x20-\x7e]+/g, " ")
    .slice(0, 200);

/** How long they want to be left alone, by the headers that GitHub, GitLab and Jira send; null where they do not say. */
function waitOf({ headers }: Answer, now: number): number | null {
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  if (seconds > 0) return Math.min(seconds * 1000, longestMs);
  const reset = Number(headers["x-ratelimit-reset"] ?? headers["ratelimit-reset"] ?? Number.NaN);
  if (reset * 1000 > now) return Math.min(reset * 1000 - now, longestMs);
  return null;
}

/** 403 is GitHub's for "slow down" as well as for "you may not". */
const isLimit = (answer: Answer): boolean =>
  answer.status === 429 ||
  answer.status === 503 ||
  (answer.status === 403 &&
    (answer.headers["retry-after"] !== undefined ||
      answer.headers["x-ratelimit-remaining"] === "0" ||
      /rate limit/i.test(saysOf(answer.body))));

/** Whether an error says that what was asked for is not there. */
export const isGone = (error: unknown): boolean =>
  error instanceof AppError && error.detail.problem === "tickets.notThere";

/** What is asked for, or null where it is not there. Rejects as `asked` otherwise. */
export const orNull = <T>(asked: Promise<T>): Promise<T | null> =>
  asked.catch((error: unknown) => {
    if (isGone(error)) return null;
    throw error;
  });

/**
 * One call; its answer in its shape. Throws AppError UPSTREAM_LIMIT (`retryAfterMs` where it was told), UPSTREAM_AUTH, REFUSED, BAD_ANSWER, and as
 * `exchange`.
 */
export async function ask<T>(
  api: TrackerApi,
  method: "GET" | "POST" | "PUT" | "PATCH",
  path: string,
  shape: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const { name } = api;
  const answer = await exchange({
    base: api.url,
    path,
    method,
    headers: {
      accept: "application/json",
      "user-agent": "sluice",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...api.headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    timeoutMs: api.timeout,
    maxBytes: answerBytes,
  });
  const { status } = answer;
  const params = { system: name, status, says: saysOf(answer.body) };
  if (isLimit(answer))
    throw new AppError("UPSTREAM_LIMIT", `${name} takes no more at the moment (${status}).`, {
      problem: "notices.limit",
      params,
      retryAfterMs: waitOf(answer, Date.now()) ?? limitMs,
    });
  if (status === 401 || status === 403)
    throw new AppError("UPSTREAM_AUTH", `${name} does not let us in (${status}): ${params.says}`, {
      problem: "notices.auth",
      params,
    });
  if (status === 404 || status === 410)
    throw new AppError(
      "REFUSED",
      `${name} has no such project or ticket, or its token may not see it (${status}): ${params.says}`,
      { problem: "tickets.notThere", params },
    );
  if (status >= 500)
    throw new AppError("BAD_ANSWER", `${name} fails (${status}).`, { problem: "notices.failing", params });
  if (status >= 300)
    throw new AppError("REFUSED", `${name} refuses it (${status}): ${params.says}`, {
      problem: "notices.refused",
      params,
    });
  const read = shape.safeParse(parsed(answer.body));
  if (!read.success)
    throw new AppError("BAD_ANSWER", `${name} answers something that is not understood.`, {
      problem: "tickets.notUnderstood",
      params,
    });
  return read.data;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return null;
  }
}

/** For answers of which nothing is needed. */
export const nothing = z.unknown();
/** Nothing else becomes a link on a page. */
export const webAddress = z.url({ protocol: /^https?$/ });

/** GitHub takes 65,536 characters; what says that it was told stands at the end. */
const longestMarkdown = 60_000;

/** As trackers that speak Markdown are given it. A name after @ would be called by the tracker: here it is only told. */
export const markdownOf = ({ link, markdown }: TicketText, mark?: string): string =>
  [link, markdown.slice(0, longestMarkdown), ...(mark === undefined ? [] : [mark])]
    .join("\n\n")
    .replaceAll("@", "@\u200b");
