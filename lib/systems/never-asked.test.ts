// What is never asked: as it is written, in every notation that a resolver understands, and by what a name resolves to.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AppError } from "../errors/app-error";
import { closeConnections, exchange } from "./exchange";
import { probe as probeAddress } from "./http/address";
import { isNeverAsked } from "./never-asked";
import { openTcp } from "./tcp";

// The system's resolver with two names of its own: no name that resolves so can be relied on everywhere.
vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const own: Record<string, string[]> = {
    "metadata.test": ["169.254.169.254"],
    "rebinding.test": ["127.0.0.1", "169.254.169.254"],
    "site.test": ["127.0.0.1"],
  };
  const lookup = (
    name: string,
    options: import("node:dns").LookupOptions,
    callback: (error: Error | null, found: unknown, family?: number) => void,
  ) => {
    const found = own[name];
    if (!found) return dns.lookup(name, options, callback as never);
    if (options.all)
      callback(
        null,
        found.map((address) => ({ address, family: 4 })),
      );
    else callback(null, found[0], 4);
  };
  return { ...dns, lookup, default: { ...dns, lookup } };
});

let server: Server;
let port: number;
let asked = 0;
beforeAll(async () => {
  server = createServer((_, answer) => {
    asked += 1;
    answer.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  await closeConnections();
  await new Promise((resolve) => server.close(resolve));
});

const problemOf = (act: Promise<unknown>) =>
  act.then(
    () => "answered",
    (error: unknown) => (error instanceof AppError ? error.detail.problem : String(error)),
  );
const get = (base: string) => exchange({ base, path: "/", timeoutMs: 2000 });

test("which they are", () => {
  for (const address of [
    "169.254.169.254",
    "169.254.0.1",
    "[fe80::1]",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "[::ffff:a9fe:a9fe]",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "100.100.100.200",
    "192.0.0.192",
    "0.0.0.0",
    "::",
    "239.1.2.3",
    "ff02::1",
    "255.255.255.255",
  ])
    expect(isNeverAsked(address), address).toBe(true);
  for (const address of [
    "127.0.0.1",
    "::1",
    "10.213.0.11",
    "172.17.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "varnish-1",
  ])
    expect(isNeverAsked(address), address).toBe(false);
});

describe("HTTP", () => {
  test.each([
    "http://169.254.169.254",
    "http://2852039166",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://[::ffff:169.254.169.254]",
    "http://metadata.test",
  ])("%s is not asked", async (base) => {
    expect(await problemOf(get(base))).toBe("http.neverAsked");
  });
  test("0.0.0.0, which would be this machine, is not asked, nor a name that has a good and a bad address", async () => {
    const before = asked;
    expect(await problemOf(get(`http://0.0.0.0:${port}`))).toBe("http.neverAsked");
    expect(await problemOf(get(`http://rebinding.test:${port}`))).toBe("http.neverAsked");
    expect(asked).toBe(before);
    expect((await get(`http://site.test:${port}`)).status).toBe(200);
  });
  test("a watched address says so as its state", async () => {
    const probed = await probeAddress({
      name: "crm",
      url: "https://metadata.test/latest",
      method: "GET",
      headers: {},
      expect_status: [],
      tls_days: 14,
      timeout: 2000,
    });
    expect(probed.state === "down" && probed.error.detail.problem).toBe("http.neverAsked");
  });
});

test.each(["169.254.169.254:80", "2852039166:80", "[fe80::1]:80", "metadata.test:80"])(
  "TCP: %s is not asked",
  async (address) => {
    expect(await problemOf(openTcp(address, 2000))).toBe("http.neverAsked");
  },
);
test("TCP: the short way to write 0.0.0.0 is understood too", async () => {
  expect(await problemOf(openTcp(`0:${port}`, 2000))).toBe("http.neverAsked");
});
