// VCLs of many styles through a person's whole way: saved, edited, rolled out and undone on two nodes of this machine, byte for byte.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { closeConnections } from "../systems/exchange";
import { vclShow } from "../systems/varnish/cli";
import type { VclFile } from "./contract";
import { examples } from "./examples.fixture";
import { flatten } from "./flatten";
import { nodeCalled } from "./nodes";
import { type OwnNodes, ownNodes, textOf } from "./own-nodes.fixture";
import { registerVcl } from "./register";
import { newestOf, revisionOf } from "./revisions";
import { activeName } from "./running";
import { save } from "./service";

const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const cluster = "pair";
let house: House;
let pair: OwnNodes;

beforeAll(async () => {
  pair = await ownNodes(2);
  house = await openHouse(`systems:\n  varnish:\n${pair.yaml}\n`);
  registerVcl();
}, 60_000);
afterAll(async () => {
  await pair?.close();
  await closeConnections();
  await house?.close();
});

const saved = async (files: VclFile[]) => {
  const newest = await newestOf(cluster);
  const { number } = await save({ cluster, files, tests: [], newest, parent: newest }, ada);
  expect((await revisionOf(cluster, number)).files).toEqual(files);
  return number;
};
const ended = (id: number) => engine().wait(id, 400_000);
const rollOut = async (number: number) => {
  const revisions = { "node-1": number, "node-2": number };
  const input = { cluster, revisions, canary: null, watchS: 0 };
  return ended(await engine().start({ kind: "vcl.rollout", input, actor: ada, origin: "page" }));
};
/** What each node serves and what it starts with, in bytes. */
const bytes = () =>
  Promise.all(
    pair.nodes.map(async (node) => {
      const name = await activeName(nodeCalled(node.name));
      const shown = await vclShow(node, name);
      expect(shown).toHaveLength(1);
      return [Buffer.from(shown[0]?.text ?? ""), Buffer.from(textOf(node))];
    }),
  );
const are = (text: string) => [text, text].map((one) => [Buffer.from(one), Buffer.from(one)]);

test("there are many", () => {
  expect(examples.length).toBeGreaterThanOrEqual(30);
});

test.each(examples)(
  "$name",
  async ({ files, refused }) => {
    const { text } = flatten(files);
    const [main, ...others] = files;
    const edited = [
      { name: "main.vcl", text: `${main?.text}\nsub vcl_deliver { set resp.http.X-Edited = "1"; }\n` },
      ...others,
    ];
    const before = await bytes();
    const first = await rollOut(await saved(files));
    const second = await saved(edited);
    if (refused !== undefined) {
      expect(first).toMatchObject({ state: "failed", error: { problem: "varnish.compile" } });
      expect(await bytes()).toEqual(before);
      return;
    }
    expect(first).toMatchObject({ state: "done", outcome: "live" });
    expect(await bytes()).toEqual(are(text));
    const row = await rollOut(second);
    expect(row).toMatchObject({ state: "done", outcome: "live" });
    expect(await bytes()).toEqual(are(flatten(edited).text));
    expect(await ended(await engine().undo(row.id, ada))).toMatchObject({ state: "done" });
    expect(await bytes()).toEqual(are(text));
  },
  600_000,
);
