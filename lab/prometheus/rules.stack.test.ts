// Configuration, rules and their tests, by the programs that read them; and what they say of a stack that is well.
import { expect, test } from "vitest";
import { must } from "../run/proc.mjs";
import { docker, stack, until } from "../test-stack";

const image = async () =>
  (await docker("inspect", "--format", "{{.Image}}", stack.containers.monitor ?? "")).trim();

test("promtool and amtool accept them, and each alert fires when it should and only then", async () => {
  const folder = `${import.meta.dirname}:/prometheus:ro`;
  const checked = await must("docker", ["run", "--rm", "-v", folder, await image(), "check"], {
    timeoutMs: 120_000,
  });
  expect(checked.stdout).not.toContain("FAILED");
  expect(checked.stdout.match(/^Unit Testing: {2}\S+\n {2}SUCCESS$/gm)?.length).toBeGreaterThan(10);
}, 120_000);

const prometheus = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${stack.ports.prometheus}/api/v1/${path}`, {
    signal: AbortSignal.timeout(5000),
  });
  return (await answer.json()).data;
};

test("the stack's Prometheus has them, reaches every target, and knows its Alertmanager", async () => {
  await until("every target is up", async () => {
    const { activeTargets } = await prometheus("targets?state=active");
    return (
      activeTargets.length === 9 + stack.varnishNodes.length &&
      activeTargets.every((target: { health: string }) => target.health === "up")
    );
  });
  const { groups } = await prometheus("rules");
  const rules = groups.flatMap((group: { rules: unknown[] }) => group.rules);
  expect(rules.length).toBeGreaterThan(60);
  expect(rules.filter((rule: { health: string }) => rule.health === "err")).toEqual([]);
  await until("it knows Alertmanager", async () => {
    const { activeAlertmanagers } = await prometheus("alertmanagers");
    return activeAlertmanagers.length === 1;
  });
});
