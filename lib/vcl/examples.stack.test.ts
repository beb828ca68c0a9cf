// VCLs of many styles on a real node: put together, loaded, read back byte for byte, and gone again; the templates too.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { testStack } from "../systems/test-stack";
import {
  CompileError,
  closeCli,
  type VarnishAdmin,
  vclDiscard,
  vclInline,
  vclList,
  vclShow,
} from "../systems/varnish/cli";
import { examples } from "./examples.fixture";
import { flatten } from "./flatten";
import { templates } from "./templates";

const stack = testStack();
afterAll(() => closeCli());

describe.skipIf(!stack)("a node of the stack", () => {
  if (!stack) return;
  const node: VarnishAdmin = {
    name: "varnish-1",
    admin: `127.0.0.1:${stack.ports.varnish1Admin}`,
    secret: readFileSync(stack.secrets.varnishSecretFile, "utf8"),
  };
  const loaded = async (name: string) => (await vclList(node)).some((one) => one.name === name);
  const all = [...examples, ...templates.map(({ key, files }) => ({ name: `template ${key}`, files }))];

  test("there are many", () => {
    expect(examples.length).toBeGreaterThanOrEqual(30);
    expect(new Set(examples.map(({ files }) => flatten(files).text)).size).toBe(examples.length);
  });

  test.each(all)(
    "$name",
    async (example) => {
      const { text, foreign } = flatten(example.files);
      expect(foreign).toEqual([]);
      const name = `sluice-test-${randomBytes(6).toString("hex")}`;
      try {
        const load = vclInline(node, name, text);
        if ("refused" in example && example.refused) {
          const error = await load.then(
            () => null,
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(CompileError);
          if (error instanceof CompileError) expect(error.says).toMatch(example.refused);
          expect(await loaded(name)).toBe(false);
          return;
        }
        await load;
        const shown = await vclShow(node, name);
        expect(shown).toHaveLength(1);
        expect(Buffer.from(shown[0]?.text ?? "").equals(Buffer.from(text))).toBe(true);
      } finally {
        await vclDiscard(node, name);
      }
      expect(await loaded(name)).toBe(false);
    },
    90_000,
  );
});
