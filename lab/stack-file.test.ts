// docker-stack.yml gives a Swarm the same services as docker-compose.yml gives one machine, and updates that go back by themselves.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

type File = {
  readonly services: Record<string, Service>;
  readonly configs?: Record<string, { readonly file: string }>;
};
type Service = {
  readonly container_name?: string;
  readonly profiles?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly volumes?: readonly string[];
  readonly deploy?: { readonly update_config?: Record<string, unknown>; readonly placement?: unknown };
};
const root = join(import.meta.dirname, "..");
const read = (file: string): File => parse(readFileSync(join(root, file), "utf8"), { merge: true });
const compose = read("docker-compose.yml");
const stack = read("docker-stack.yml");

// A Swarm knows no profiles: what is not always there is left to Compose.
test("the same services", () => {
  const always = Object.entries(compose.services).flatMap(([name, { profiles }]) => (profiles ? [] : [name]));
  expect(Object.keys(stack.services).sort()).toEqual(always.sort());
});

test.each(Object.entries(stack.services))(
  "%s: nothing that a Swarm ignores, and an update that goes back",
  (_name, service) => {
    expect(service.container_name).toBeUndefined();
    expect(service.deploy?.update_config).toMatchObject({ failure_action: "rollback" });
    // A named volume is a node's own: what has one stays on its node.
    if ((service.volumes ?? []).some((volume) => /^[a-z]/.test(volume))) {
      expect(service.deploy?.placement).toBeDefined();
      expect(service.deploy?.update_config).toMatchObject({ order: "stop-first" });
    }
  },
);

test("its configs are files that are there", () => {
  for (const { file } of Object.values(stack.configs ?? {}))
    expect(readFileSync(join(root, file), "utf8").length).toBeGreaterThan(0);
});

test("every rule of Prometheus goes with it", () => {
  const files = Object.values(stack.configs ?? {}).map(({ file }) => file);
  const rules = readdirSync(join(root, "lab/prometheus/rules"));
  expect(files).toEqual(expect.arrayContaining(rules.map((name) => `./lab/prometheus/rules/${name}`)));
});

test("no secret has a default, and what goes from node to node is encrypted", () => {
  const text = readFileSync(join(root, "docker-stack.yml"), "utf8");
  const secrets = [...text.matchAll(/\$\{(\w*(?:PASSWORD|SECRET|TOKEN)\w*)(.?.?)/g)];
  expect(secrets.length).toBeGreaterThan(5);
  for (const [, name, how] of secrets) expect([name, how]).toEqual([name, ":?"]);
  const { networks } = parse(text, { merge: true }) as { networks: Record<string, object> };
  for (const network of Object.values(networks))
    expect(network).toMatchObject({ driver_opts: { encrypted: "true" } });
});

test("Sluice is given every variable that its configuration names", () => {
  const text = readFileSync(join(root, "lab/sluice.compose.yaml"), "utf8").replace(/^\s*#.*$/gm, "");
  const named = [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name))].sort();
  expect(named).toContain("MARIADB_PASSWORD");
  for (const file of [compose, stack])
    expect(Object.keys(file.services.sluice?.environment ?? {})).toEqual(expect.arrayContaining(named));
});
