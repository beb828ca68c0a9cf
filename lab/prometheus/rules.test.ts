// Every alert says how bad it is, what it means and where to read on, and is shown firing by a test of promtool.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

const here = (...parts: string[]) => join(import.meta.dirname, ...parts);
const ruleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          labels: z.record(z.string(), z.string()).default({}),
          annotations: z.record(z.string(), z.string()).default({}),
        }),
      ),
    }),
  ),
});
const files = readdirSync(here("rules"));
const alerts = files.flatMap((file) =>
  ruleFile
    .parse(parse(readFileSync(here("rules", file), "utf8")))
    .groups.flatMap(({ rules }) => rules)
    .flatMap(({ alert, labels, annotations }) =>
      alert === undefined ? [] : [{ file, alert, labels, annotations }],
    ),
);
const headings = [...readFileSync(here("../../docs/alerts.md"), "utf8").matchAll(/^### (\w+)$/gm)].map(
  ([, name]) => name,
);

test("each name once, and a section of docs/alerts.md for each", () => {
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  expect([...headings].sort()).toEqual([...names].sort());
});

test.each(alerts)("$alert", ({ file, alert, labels, annotations }) => {
  expect(["critical", "warning"]).toContain(labels.severity);
  expect(annotations).toEqual({
    summary: expect.stringMatching(/\S/),
    description: expect.stringMatching(/\S/),
    runbook_url: `docs/alerts.md#${alert.toLowerCase()}`,
  });
  expect(readFileSync(here("tests", file), "utf8")).toContain(`alertname="${alert}"`);
});
