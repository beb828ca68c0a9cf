// Every kind that sluice.yaml knows is in the table, and the line it shows is one that sluice.yaml takes.
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../config/schema";
import { recognise } from "./docker/discover";
import { systemKinds } from "./registry";

test("each example line is valid, and no kind is missing", () => {
  const known = Object.keys(configSchema.parse({}).systems).sort();
  expect(systemKinds.map(({ configKey }) => configKey as string).sort()).toEqual(known);
  for (const { exampleLine } of systemKinds) {
    expect(configSchema.safeParse({ systems: parse(exampleLine) }).error, exampleLine).toBeUndefined();
  }
});

test("so is the line for a system that was found by itself", () => {
  const ports = [80, 6379, 3306, 6082].map((port) => ({
    IP: "127.0.0.1",
    PrivatePort: port,
    PublicPort: port,
    Type: "tcp",
  }));
  const rows = ["varnish", "redis", "nginx", "mariadb"].map((image) => ({
    Id: image,
    Names: [`/${image}_1 X`],
    Image: image,
    State: "running",
    Ports: ports,
  }));
  const found = recognise(rows, null);
  expect(found).toHaveLength(4);
  for (const { line } of found) {
    expect(configSchema.safeParse({ systems: parse(line) }).error, line).toBeUndefined();
  }
});
