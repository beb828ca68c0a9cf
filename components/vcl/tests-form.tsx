"use client";
// The tests that are saved with a VCL: a request, what the backend answers, and what must come of it.
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useId } from "react";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { api } from "@/lib/api/client";
import { type VclFile, type VclTest, type VclTestResult, vclTest } from "@/lib/vcl/contract";

const methods = vclTest.shape.request.shape.method.options;
const caches = vclTest.shape.expect.shape.cache.unwrap().options;

const headersText = (headers: readonly { readonly name: string; readonly value: string | null }[]): string =>
  headers.map(({ name, value }) => (value === null ? `!${name}` : `${name}: ${value}`)).join("\n");

/** "Name: value", one a line; "!Name" for one that must not be there. */
const headersOf = (text: string): { name: string; value: string | null }[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      if (line.startsWith("!")) return { name: line.slice(1).trim(), value: null };
      const [name = "", value = ""] = line.split(/:\s*(.*)/s);
      return { name: name.trim(), value };
    });
const sentHeaders = (text: string): { name: string; value: string }[] =>
  headersOf(text).flatMap(({ name, value }) => (value === null ? [] : [{ name, value }]));

const fresh: VclTest = vclTest.parse({
  name: "home",
  request: { method: "GET", host: "www.example.org", path: "/" },
  expect: { cache: "hit" },
});

function Result({ result }: { readonly result: VclTestResult | undefined }) {
  const t = useTranslations();
  const say = useSay();
  if (result === undefined) return null;
  return (
    <div className="mt-2">
      <Status tone={result.ok ? "up" : "down"}>
        {t(result.ok ? "vcl.tests.passes" : "vcl.tests.fails")}
      </Status>
      {result.problem !== null && (
        <p className="text-down-ink">{say.key("problems", result.problem.problem, result.problem.params)}</p>
      )}
      <ul className="text-xs">
        {result.checks
          .filter(({ ok }) => !ok)
          .map(({ what, expected, seen }) => (
            <li key={what}>{t("vcl.tests.wanted", { what, expected, seen })}</li>
          ))}
      </ul>
    </div>
  );
}

function TestFields({
  test,
  onChange,
}: {
  readonly test: VclTest;
  readonly onChange: (test: VclTest) => void;
}) {
  const t = useTranslations();
  const id = useId();
  const { request, expect, backend } = test;
  const text = (name: string, value: string, set: (value: string) => void) => (
    <Field
      label={t(`vcl.tests.fields.${name}`)}
      value={value}
      onChange={(event) => set(event.target.value)}
    />
  );
  const area = (name: string, value: string, set: (value: string) => void) => (
    <div className="min-w-0">
      <label htmlFor={`${id}-${name}`} className="mb-1 block font-medium">
        {t(`vcl.tests.fields.${name}`)}
      </label>
      <textarea
        id={`${id}-${name}`}
        className="input font-mono text-xs! max-sm:text-base!"
        rows={2}
        spellCheck={false}
        defaultValue={value}
        onChange={(event) => set(event.target.value)}
      />
    </div>
  );
  const choice = (name: string, value: string, options: readonly string[], set: (value: string) => void) => (
    <div>
      <label htmlFor={`${id}-${name}`} className="mb-1 block font-medium">
        {t(`vcl.tests.fields.${name}`)}
      </label>
      <select
        id={`${id}-${name}`}
        className="input"
        value={value}
        onChange={(event) => set(event.target.value)}
      >
        {options.map((one) => (
          <option key={one} value={one}>
            {one === "" ? t("vcl.tests.any") : one}
          </option>
        ))}
      </select>
    </div>
  );
  const number = (value: string): number | undefined => (/^\d{3}$/.test(value) ? Number(value) : undefined);
  return (
    <div className="grid gap-2 sm:grid-cols-4">
      {text("name", test.name, (name) => onChange({ ...test, name }))}
      {choice("method", request.method, methods, (method) =>
        onChange({
          ...test,
          request: { ...request, method: vclTest.shape.request.shape.method.parse(method) },
        }),
      )}
      {text("host", request.host, (host) => onChange({ ...test, request: { ...request, host } }))}
      {text("path", request.path, (path) => onChange({ ...test, request: { ...request, path } }))}
      {choice("cache", expect.cache ?? "", ["", ...caches], (value) => {
        const cache = caches.find((one) => one === value);
        const { cache: _, ...rest } = expect;
        onChange({ ...test, expect: cache === undefined ? rest : { ...rest, cache } });
      })}
      {text("status", expect.status === undefined ? "" : String(expect.status), (value) => {
        const { status: _, ...rest } = expect;
        const status = number(value);
        onChange({ ...test, expect: status === undefined ? rest : { ...rest, status } });
      })}
      {text("backend", expect.backend ?? "", (value) => {
        const { backend: _, ...rest } = expect;
        onChange({ ...test, expect: value === "" ? rest : { ...rest, backend: value } });
      })}
      {text("backendStatus", String(backend.status), (value) => {
        const status = number(value);
        if (status !== undefined) onChange({ ...test, backend: { ...backend, status } });
      })}
      <div className="grid gap-2 sm:col-span-4 sm:grid-cols-3">
        {area("headers", headersText(request.headers), (value) =>
          onChange({ ...test, request: { ...request, headers: sentHeaders(value) } }),
        )}
        {area("backendHeaders", headersText(backend.headers), (value) =>
          onChange({ ...test, backend: { ...backend, headers: sentHeaders(value) } }),
        )}
        {area("answerHeaders", headersText(expect.headers), (value) =>
          onChange({ ...test, expect: { ...expect, headers: headersOf(value) } }),
        )}
      </div>
    </div>
  );
}

export function TestsForm({
  cluster,
  files,
  tests,
  onChange,
}: {
  readonly cluster: string;
  readonly files: VclFile[];
  readonly tests: VclTest[];
  readonly onChange: (tests: VclTest[]) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const run = useMutation({ mutationFn: () => api.vcl.tests({ cluster, files, tests }) });
  return (
    <details className="card" open={tests.length > 0}>
      <summary className="tap p-3 font-semibold">{t("vcl.tests.title", { count: tests.length })}</summary>
      <div className="grid gap-3 p-3 pt-0">
        <p className="text-mute">{t("vcl.tests.lead")}</p>
        <ol className="grid gap-3">
          {tests.map((test, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: its name is being written
            <li key={index} className="rounded-md border border-line p-3">
              <TestFields
                test={test}
                onChange={(next) => onChange(tests.map((one, at) => (at === index ? next : one)))}
              />
              <div className="mt-2 flex flex-wrap items-start justify-between gap-2">
                <Result result={run.data?.[index]} />
                <button
                  type="button"
                  className="btn btn-quiet ml-auto"
                  onClick={() => onChange(tests.filter((_, at) => at !== index))}
                >
                  {t("vcl.tests.remove", { name: test.name })}
                </button>
              </div>
            </li>
          ))}
        </ol>
        <div className="flex flex-wrap items-center gap-2">
          <button type="button" className="btn" onClick={() => onChange([...tests, fresh])}>
            {t("vcl.tests.add")}
          </button>
          {tests.length > 0 && (
            <button type="button" className="btn" disabled={run.isPending} onClick={() => run.mutate()}>
              {t("vcl.tests.run", { count: tests.length })}
            </button>
          )}
          {run.isPending && <Status tone="run">{t("vcl.tests.running")}</Status>}
          {run.data === null && <Status tone="unknown">{t("vcl.tests.absent")}</Status>}
          {run.error && (
            <span role="alert">
              <Status tone="down">{say.problem(problemOf(run.error))}</Status>
            </span>
          )}
        </div>
      </div>
    </details>
  );
}
