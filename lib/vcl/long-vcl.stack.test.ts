// A VCL that is longer than cli_limit, read by several at once; one that is cold; and a node without its child. On a varnishd of this machine.
import { afterAll, beforeAll, expect, test } from "vitest";
import { CompileError, command, vclDiscard, vclInline, vclList, vclShow } from "../systems/varnish/cli";
import { vclFacts } from "../systems/varnish/facts";
import { type OwnNodes, ownNodes } from "./own-nodes.fixture";

let own: OwnNodes;
beforeAll(async () => {
  own = await ownNodes(1);
});
afterAll(() => own?.close());
const node = () => {
  const [first] = own.nodes;
  if (first === undefined) throw new Error("no node");
  return first;
};

test("read by several at once, and the limit is what it was", async () => {
  const text = `${own.base}${"# a comment of some length\n".repeat(4000)}`;
  await vclInline(node(), "long", text);
  await command(node(), "param.set", ["cli_limit", "50k"]);
  for (let round = 0; round < 20; round += 1) {
    const shown = await Promise.all([1, 2, 3].map(() => vclShow(node(), "long")));
    expect(shown.map(([file]) => file?.text === text)).toEqual([true, true, true]);
    expect(await command(node(), "param.show", ["cli_limit"])).toMatch(/Value is:\s+50k/);
  }
});

test("a draft is compiled cold, and its vcl_init runs all the same", async () => {
  await vclInline(node(), "draft", own.base, undefined, "cold");
  expect((await vclList(node())).find(({ name }) => name === "draft")?.state).toBe("cold");
  await vclDiscard(node(), "draft");
  const fails = `${own.base}sub vcl_init { return (fail("not today")); }\n`;
  await expect(vclInline(node(), "draft", fails, undefined, "cold")).rejects.toBeInstanceOf(CompileError);
});

test("without its child a node lists its VCLs", async () => {
  await command(node(), "stop", []);
  const names = ["boot", "long"];
  expect((await vclList(node())).map(({ name }) => name).sort()).toEqual(names);
  expect((await vclFacts(node())).map(({ name, busy }) => [name, busy]).sort()).toEqual(
    names.map((name) => [name, 0]),
  );
});
