// Every kind that sluice.yaml knows is in the table, and the line it shows is one that sluice.yaml takes.
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../config/schema";
import { systemKinds } from "./registry";

test("each example line is valid, and no kind is missing", () => {
  const known = Object.keys(configSchema.parse({}).systems).sort();
  expect(systemKinds.map(({ configKey }) => configKey as string).sort()).toEqual(known);
  for (const { exampleLine } of systemKinds) {
    expect(configSchema.safeParse({ systems: parse(exampleLine) }).error, exampleLine).toBeUndefined();
  }
});
