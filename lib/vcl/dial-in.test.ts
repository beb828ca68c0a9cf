// Which nodes are listened for, as sluice.yaml changes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { configSource } from "../config/load";
import { freePort, until } from "../systems/test-stack";
import { varnishDialInService } from "./dial-in";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-dial-in-"));
  vi.stubEnv("SLUICE_CONFIG", join(folder, "sluice.yaml"));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const configure = (...nodes: string[]) => {
  writeFileSync(join(folder, "sluice.yaml"), `systems:\n  varnish: [${nodes.join(", ")}]\n`);
  configSource().reload();
};
const node = (name: string, rest: string) => `{ name: ${name}, url: "http://127.0.0.1:1", ${rest} }`;

const taken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });

test("a listener comes, moves and goes with the configuration; another stays undisturbed", async () => {
  const [first, second, moved] = [await freePort(), await freePort(), await freePort()];
  const one = node("one", `admin_listen: "127.0.0.1:${first}", secret: x`);
  configure(one, node("two", `admin_listen: "127.0.0.1:${second}", secret: x`));
  const stop = await varnishDialInService.start();
  expect([await taken(first), await taken(second), await taken(moved)]).toEqual([true, true, false]);

  const kept = connect(first, "127.0.0.1");
  await new Promise((resolve) => kept.once("connect", resolve));
  configure(one, node("two", `admin_listen: "127.0.0.1:${moved}", secret: x`));
  await until("it moved", async () => (await taken(moved)) && !(await taken(second)));
  expect(kept.readyState).toBe("open");

  // Another secret: whoever came with the old one goes.
  configure(node("one", `admin_listen: "127.0.0.1:${first}", secret: another`));
  await new Promise((resolve) => kept.once("close", resolve).resume());
  await until("two is gone and one is back", async () => (await taken(first)) && !(await taken(moved)));

  await stop();
  expect(await taken(first)).toBe(false);
});

test.each([
  [
    "both ways at once",
    [node("a", 'admin: "a:1", admin_listen: "127.0.0.1:1", secret: x')],
    /instead of admin/,
  ],
  ["no secret", [node("a", 'admin_listen: "127.0.0.1:1"')], /needs secret/],
  [
    "one port for two",
    [
      node("a", 'admin_listen: "127.0.0.1:1", secret: x'),
      node("b", 'admin_listen: "127.0.0.1:1", secret: y'),
    ],
    /a port of its own/,
  ],
])("%s is refused", (_, nodes, says) => {
  configure();
  configure(...nodes);
  const { problems } = configSource().state;
  expect(problems.map(({ message }) => message).join("\n")).toMatch(says);
});
