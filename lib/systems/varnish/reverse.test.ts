// Who dials in to us, and who only pretends: peers that speak the CLI's frames.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort, until } from "../test-stack";
import { closeCli, greet, pid, status, type VarnishAdmin } from "./cli";
import { authAnswer } from "./cli-frame";
import { closeDoor, openDoor } from "./reverse";

const challenge = "ixslvvxrgkjptxmcgnnsdxsvdmvfympg";
const frame = (code: number, body: string) => `${code} ${String(body.length).padEnd(8)}\n${body}\n`;
const greeting = frame(107, `${challenge}\n\nAuthentication required.\n`);

let node: VarnishAdmin & { readonly admin_listen: string };
const peers = new Set<Socket>();

/** Connects and says this; the socket is closed after the test. */
function dial(says = ""): Socket {
  const socket = connect(Number(node.admin_listen.split(":")[1]), "127.0.0.1");
  peers.add(socket.on("error", () => {}));
  socket.on("data", () => {});
  socket.write(says);
  return socket;
}

/** A varnishd whose -S file holds `secret`: dials in once, and answers `status` with its state. */
function varnishd(secret: string, state = "running"): Socket {
  const socket = dial(greeting);
  socket.on("data", (data) => {
    const line = data.toString();
    if (line.startsWith("auth "))
      if (line === `auth ${authAnswer(challenge, Buffer.from(secret))}\n`) socket.write(frame(200, "hello"));
      else socket.end(frame(500, "Authentication failed"));
    if (line === "status\n") socket.write(frame(200, `Child in state ${state}`));
  });
  return socket;
}

const closed = async (socket: Socket) => {
  if (!socket.closed) await once(socket, "close");
};

beforeEach(async () => {
  node = { name: "dials", admin_listen: `127.0.0.1:${await freePort()}`, secret: "s3cret" };
  await openDoor(node.name, node.admin_listen, (socket, newline, signal) =>
    greet(node, socket, newline, signal),
  );
});
afterEach(async () => {
  await closeDoor(node.name);
  closeCli();
  for (const socket of peers) socket.destroy();
  peers.clear();
});

test("a command goes over the connection that was dialled, and over the next one when that ended", async () => {
  const first = varnishd("s3cret\n");
  expect(await status(node)).toBe("running");
  expect(await status(node)).toBe("running");
  first.destroy();
  await closed(first);
  // The command waits until it is dialled again.
  const asked = status(node);
  varnishd("s3cret\n", "starting");
  expect(await asked).toBe("starting");
});

test("a secret without its last newline is found at the second dial", async () => {
  const asked = status(node);
  await closed(varnishd("s3cret"));
  varnishd("s3cret");
  expect(await asked).toBe("running");
});

test("a wrong secret is told, not waited for", async () => {
  const asked = expect(status(node)).rejects.toMatchObject({
    code: "UPSTREAM_AUTH",
    detail: { problem: "varnish.secret", params: { node: "dials", address: node.admin_listen } },
  });
  // As varnishd does: again and again.
  let over = false;
  const again = (async () => {
    while (!over) await closed(varnishd("another\n"));
  })();
  await asked;
  over = true;
  await again;
});

test("one that dials in again takes the place of the one that waits", async () => {
  const old = varnishd("s3cret\n", "old");
  await once(old, "data");
  varnishd("s3cret\n", "fresh");
  await closed(old);
  expect(await status(node)).toBe("fresh");
});

test("one that dials in while another is in use waits for its turn", async () => {
  const used = varnishd("s3cret\n", "used");
  expect(await status(node)).toBe("used");
  const next = varnishd("s3cret\n", "next");
  await once(next, "data");
  expect(await status(node)).toBe("used");
  used.destroy();
  await closed(used);
  expect(await status(node)).toBe("next");
});

describe("strangers", () => {
  test.each([
    "GET / HTTP/1.1\r\nHost: sluice\r\n\r\n",
    frame(500, "no"),
    frame(200, "x").slice(0, 5) + "y".repeat(20),
  ])("%j is closed, and the node is served all the same", async (says) => {
    await closed(dial(says));
    varnishd("s3cret\n");
    expect(await status(node)).toBe("running");
  });

  test("what says nothing is closed after 10 s, four of them at most are heard, and nobody else's turn is waited for longer", async () => {
    const begun = Date.now();
    const asked = expect(status(node)).rejects.toMatchObject({
      code: "UNREACHABLE",
      detail: { problem: "varnish.notDialled" },
    });
    const silent = Array.from({ length: 3 }, () => dial());
    // Greets, and then does not say whether it takes the secret.
    silent.push(dial(greeting));
    await Promise.all(silent.map((one) => until("connected", async () => one.readyState === "open")));
    const more = dial();
    await closed(more);
    expect(Date.now() - begun).toBeLessThan(5000);
    await Promise.all([...silent.map(closed), asked]);
    expect(Date.now() - begun).toBeGreaterThan(9000);
    varnishd("s3cret\n");
    expect(await status(node)).toBe("running");
  });
});

test("an address that is taken, and a node that nobody listens for", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  const taken = `127.0.0.1:${typeof at === "object" && at ? at.port : 0}`;
  const other = { name: "other", admin_listen: taken, secret: "x" };
  await expect(openDoor("other", taken, () => Promise.reject(new Error("nobody")))).rejects.toMatchObject({
    detail: { problem: "varnish.notListening", params: { reason: "EADDRINUSE" } },
  });
  await expect(pid(other)).rejects.toMatchObject({ detail: { problem: "varnish.notListening" } });
  await closeDoor("other");
  await expect(pid(other)).rejects.toMatchObject({ detail: { problem: "varnish.notDialled" } });
  server.close();
});
