// A real varnishd that dials in (-M), and is not reached otherwise.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, testStack } from "../test-stack";
import { closeCli, command, greet, pid, status, type VarnishAdmin, vclList, version } from "./cli";
import { closeDoor, openDoor } from "./reverse";
import { startVarnishd } from "./test-varnishd";

const stack = testStack();

describe.skipIf(!stack)("varnishd -M", () => {
  if (!stack) return;
  let address = "";
  let stop = async () => {};
  const listen = (secret: string): Promise<VarnishAdmin> => {
    const node = { name: "dials", admin_listen: address, secret };
    return openDoor("dials", address, (socket, newline, signal) => greet(node, socket, newline, signal)).then(
      () => node,
    );
  };
  beforeAll(async () => {
    address = `127.0.0.1:${await freePort()}`;
    stop = await startVarnishd(stack, {
      vcl: "vcl 4.1; backend default none;",
      secret: "reverse secret\n",
      args: ["-a", `127.0.0.1:${await freePort()}`, "-T", "none", "-M", address],
    });
  });
  afterAll(async () => {
    await closeDoor("dials");
    closeCli();
    await stop();
  });

  test("is asked as any other, one command after the other", async () => {
    const node = await listen("reverse secret");
    expect(await version(node)).toMatch(/^\d+\.\d+/);
    await command(node, "vcl.inline", ["other", 'vcl 4.1; backend default { .host = "127.0.0.1"; }', "auto"]);
    const [state, ids, vcls] = await Promise.all([status(node), pid(node), vclList(node)]);
    expect(state).toBe("running");
    expect(ids.worker).toBeGreaterThan(0);
    expect(vcls.map(({ name }) => name)).toEqual(["boot", "other"]);
  });

  test("dials again after its connection ended", async () => {
    const node = await listen("reverse secret\n");
    expect(await status(node)).toBe("running");
    closeCli("dials");
    expect(await status(node)).toBe("running");
  });

  test("does not take another secret, and takes the right one afterwards", async () => {
    await expect(status(await listen("guessed"))).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
      detail: { problem: "varnish.secret" },
    });
    expect(await status(await listen("reverse secret"))).toBe("running");
  });
});
