// Prometheus' HTTP API v1, read only: instant and range queries (facts: prometheus.io/docs/prometheus/latest/querying/api).
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";

/** Where to ask, and as whom. */
export type PrometheusTarget = {
  readonly name: string;
  /** Base address, perhaps with a path (`--web.external-url`). */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Bearer token; goes before user and password. */
  readonly token?: string | undefined;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

/** `at` in seconds since 1970; null is a gap (NaN, or an infinity that cannot be drawn). */
export type Sample = { readonly at: number; readonly value: number | null };
export type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
};
export type Queried = { readonly series: readonly Series[]; readonly warnings: readonly string[] };

const maxBytes = 4 * 1024 * 1024;

const sample = z.tuple([z.number(), z.string()]).transform(([at, text]): Sample => {
  // "+Inf" and "NaN" are words of Prometheus; Number() makes NaN of both.
  const value = Number(text);
  return { at, value: text !== "" && Number.isFinite(value) ? value : null };
});
const labels = z.record(z.string(), z.string());
const warnings = z.array(z.string()).default([]);
const matrix = z.object({
  data: z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ metric: labels, values: z.array(sample) })),
  }),
  warnings,
});
const vector = z.object({
  data: z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: labels, value: sample })),
  }),
  warnings,
});
const refusal = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

const failed = (
  target: PrometheusTarget,
  code: ConstructorParameters<typeof AppError>[0],
  problem: string,
  message: string,
  params: Readonly<Record<string, string | number>> = {},
) => {
  const address = new URL(target.url).origin;
  return new AppError(code, `Prometheus at ${address}: ${message}`, {
    problem,
    params: { address, ...params },
  });
};

const signIn = ({ token, username, password }: PrometheusTarget): Record<string, string> => {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
};

function refused(target: PrometheusTarget, { errorType, error }: z.infer<typeof refusal>): AppError {
  if (/too many samples|exceeded maximum resolution/.test(error))
    return failed(target, "REFUSED", "prometheus.tooMany", "the query would load too many samples.");
  if (errorType === "timeout" || errorType === "canceled")
    return failed(target, "TIMEOUT", "prometheus.slow", "the query took too long there.");
  // 'invalid parameter "query": 1:5: parse error: unexpected …': the place is the only thing that helps.
  const [, line, column, says] = /(\d+):(\d+): (?:parse error: )?(.+)/s.exec(error) ?? [];
  if (line !== undefined && column !== undefined && says !== undefined)
    return failed(target, "REFUSED", "prometheus.parse", `${line}:${column}: ${says.slice(0, 200)}`, {
      line: Number(line),
      column: Number(column),
      says: says.slice(0, 200),
    });
  return failed(target, "REFUSED", "prometheus.query", `it refused the query (${errorType.slice(0, 40)}).`);
}

/** One call of the API. Throws AppError UPSTREAM_AUTH, REFUSED, TIMEOUT, BAD_ANSWER, and as `exchange`. */
export async function ask(
  target: PrometheusTarget,
  path: string,
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<unknown> {
  // GET, because a kept connection that died may then be tried again. Its own time-out comes before ours, so that it says so.
  const form = new URLSearchParams({ ...query, timeout: `${Math.ceil(target.timeout * 0.9)}ms` });
  const { status, body } = await exchange({
    base: target.url,
    path: `${path}?${form}`,
    headers: { accept: "application/json", ...signIn(target) },
    timeoutMs: target.timeout,
    maxBytes,
    signal,
  });
  if (status === 401 || status === 403)
    throw failed(target, "UPSTREAM_AUTH", "prometheus.auth", "it does not accept these credentials.");
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    throw failed(target, "BAD_ANSWER", "prometheus.notApi", `status ${status}, and not Prometheus' API.`);
  }
  const no = refusal.safeParse(answer);
  if (no.success) throw refused(target, no.data);
  return answer;
}

/** An answer in its shape. Throws AppError BAD_ANSWER. */
export function read<T>(target: PrometheusTarget, shape: z.ZodType<T>, answer: unknown): T {
  const got = shape.safeParse(answer);
  if (got.success) return got.data;
  throw failed(target, "BAD_ANSWER", "prometheus.notApi", "the answer has not the shape of its API.");
}

/** The value of `promql` now. Throws AppError UPSTREAM_AUTH, REFUSED, TIMEOUT, BAD_ANSWER, and as `exchange`. */
export async function query(
  target: PrometheusTarget,
  promql: string,
  signal?: AbortSignal,
): Promise<Queried> {
  const got = read(target, vector, await ask(target, "/api/v1/query", { query: promql }, signal));
  const series = got.data.result.map(({ metric, value }) => ({ labels: metric, samples: [value] }));
  return { series, warnings: got.warnings };
}

/** `promql` from `start` to `end` (seconds since 1970), each `step` seconds; a step without a sample is left out. Throws as `query`. */
export async function queryRange(
  target: PrometheusTarget,
  promql: string,
  range: { readonly start: number; readonly end: number; readonly step: number },
  signal?: AbortSignal,
): Promise<Queried> {
  const { start, end, step } = range;
  const asked = { query: promql, start: `${start}`, end: `${end}`, step: `${step}` };
  const got = read(target, matrix, await ask(target, "/api/v1/query_range", asked, signal));
  const series = got.data.result.map(({ metric, values }) => ({ labels: metric, samples: values }));
  return { series, warnings: got.warnings };
}

/** A text as a PromQL string, quotes included, for `{name=…}`. */
export const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;

const build = z.object({ data: z.object({ version: z.string() }) });

/** Its version, and how many of its targets answer. */
export const probe = (target: PrometheusTarget): Promise<Probed> =>
  look(`prometheus:${target.name}`, async () => {
    const { version } = read(target, build, await ask(target, "/api/v1/status/buildinfo", {})).data;
    const up = await query(target, "up");
    const values = up.series.map(({ samples }) => samples[0]?.value ?? 0);
    return {
      version,
      facts: { targets: values.length, targetsUp: values.filter((one) => one === 1).length },
    };
  });
