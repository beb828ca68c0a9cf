// Connections against a real server that goes away, comes back, and against a configuration that changes.
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { configSource } from "../config/load";
import { AppError } from "../errors/app-error";
import { forgetSingleton } from "../runtime/singleton";
import type { Connection } from "./contract";
import { Connections, seen } from "./service";

/** A server that greets as MariaDB does (protocol 10, version as a NUL-terminated text). */
function greeter(version: string): Server {
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${version}\0`),
    Buffer.from([1, 0, 0, 0]),
    Buffer.alloc(40, 1),
  ]);
  const header = Buffer.from([body.length, 0, 0, 0]);
  return createServer((socket) => {
    socket.on("error", () => {});
    // Unread bytes would keep the socket, and so the server, open.
    socket.resume();
    socket.end(Buffer.concat([header, body]));
  });
}
const listen = (server: Server, port = 0) =>
  new Promise<number>((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

async function until(what: string, is: () => boolean): Promise<void> {
  const end = Date.now() + 8000;
  while (!is()) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  delete process.env.SLUICE_CONFIG;
});

/** Connections on a sluice.yaml of their own. */
function connectionsOn(yaml: string): { connections: Connections; write(yaml: string): void } {
  const file = join(mkdtempSync(join(tmpdir(), "sluice-connections-")), "sluice.yaml");
  const write = (text: string) => writeFileSync(file, text);
  write(yaml);
  process.env.SLUICE_CONFIG = file;
  forgetSingleton("config");
  const connections = new Connections();
  stops.push(connections.start());
  return {
    connections,
    write(text) {
      write(text);
      configSource().reload();
    },
  };
}
const row = (connections: Connections, name: string): Connection | undefined =>
  connections.list().find((one) => one.name === name);

describe("connections", () => {
  it("tells up with version and latency, then down with why and when it was last well", async () => {
    const server = greeter("10.11.6-MariaDB");
    const port = await listen(server);
    const { connections } = connectionsOn(
      `systems:\n  mariadb: [{ name: db, address: "127.0.0.1:${port}" }]\n`,
    );
    await until("up", () => row(connections, "db")?.state === "up");
    expect(row(connections, "db")).toMatchObject({
      version: expect.stringContaining("10.11.6"),
      error: null,
    });
    expect(row(connections, "db")?.latencyMs).toBeGreaterThanOrEqual(0);

    await close(server);
    const down = await connections.test("mariadb", "db");
    expect(down).toMatchObject({ state: "down", error: { code: "UNREACHABLE" } });
    expect(down.lastGood).not.toBeNull();

    const again = greeter("10.11.7-MariaDB");
    await listen(again, port);
    stops.push(() => close(again));
    expect(await connections.test("mariadb", "db")).toMatchObject({ state: "up", error: null });
  });

  it("names, for each kind that is not configured, the one line that would connect it", async () => {
    const { connections } = connectionsOn("{}\n");
    const rows = connections.list().filter(({ source }) => source === "none");
    expect(rows.map(({ kind }) => kind)).toEqual([
      "cloudflare",
      "varnish",
      "nginx",
      "redis",
      "mariadb",
      "docker",
    ]);
    for (const one of rows) {
      expect(one.state).toBe("not_connected");
      expect(one.fix).toContain(`${one.kind}: [{ name:`);
    }
  });

  it("follows sluice.yaml: a system taken out is gone, a new one is looked at", async () => {
    const server = greeter("11.4.2-MariaDB");
    const port = await listen(server);
    stops.push(() => close(server));
    const { connections, write } = connectionsOn(
      `systems:\n  mariadb: [{ name: old, address: "127.0.0.1:${port}" }]\n`,
    );
    await until("old is up", () => row(connections, "old")?.state === "up");
    write(`systems:\n  mariadb: [{ name: new, address: "127.0.0.1:${port}" }]\n`);
    await until("new is up", () => row(connections, "new")?.state === "up");
    expect(row(connections, "old")).toBeUndefined();
    await expect(connections.test("mariadb", "old")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("keeps the last good look when a system goes down", () => {
    const before = {
      state: "up",
      lastGood: "2026-11-23T10:00:00.000Z",
      version: "7.1",
      facts: { vcl: "sluice" },
    };
    const after = seen(before as unknown as Connection, {
      state: "down",
      error: new AppError("TIMEOUT", "too slow"),
      at: 0,
      lastGood: null,
    });
    expect(after).toMatchObject({
      state: "down",
      lastGood: before.lastGood,
      version: "7.1",
      latencyMs: null,
    });
  });
});
