// FastCGI: what we say, what comes back whole or in pieces, and the pool's status page by it.
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { closeServers, problemOf, tcp } from "../test-server";
import { AnswerReader, FastCgiError, record, request } from "./fastcgi";
import { probe } from "./status";

afterEach(closeServers);

const page = {
  pool: "www",
  "process manager": "dynamic",
  "start since": 100,
  "accepted conn": 55,
  "listen queue": 0,
  "idle processes": 9,
  "active processes": 1,
  "total processes": 10,
  "max children reached": 2,
  "slow requests": 3,
};
const done = record(3, Buffer.alloc(8));
const padded = (content: Buffer): Buffer => {
  const one = Buffer.concat([record(6, content), Buffer.alloc(5)]);
  one[6] = 5;
  return one;
};
const answer = (text: string) =>
  Buffer.concat([
    record(7, Buffer.from("a notice")),
    padded(Buffer.from(text)),
    record(6, Buffer.alloc(0)),
    done,
  ]);
const at = (port: number) => ({ name: "php", address: `127.0.0.1:${port}`, status: "/status", timeout: 300 });

test("a request: its variables with short and long lengths, and nothing after them", () => {
  const long = "x".repeat(200);
  const bytes = request({ A: "b", LONG: long });
  expect([...bytes.subarray(0, 16)]).toEqual([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const pairs = Buffer.concat([
    Buffer.from([1, 1]),
    Buffer.from("Ab"),
    Buffer.from([4, 0x80, 0, 0, 200]),
    Buffer.from(`LONG${long}`),
  ]);
  expect(bytes.subarray(16)).toEqual(
    Buffer.concat([record(4, pairs), record(4, Buffer.alloc(0)), record(5, Buffer.alloc(0))]),
  );
});

test("an answer is the same in any pieces", () => {
  const whole = answer("Status: 404 Not Found\r\nContent-type: text/html\r\n\r\nFile not found.\n");
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
      const reader = new AnswerReader();
      let got = null;
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), whole.length]) {
        got ??= reader.push(whole.subarray(from, cut));
        from = cut;
      }
      expect(got).toEqual({ status: 404, body: Buffer.from("File not found.\n") });
    }),
  );
});

test("bytes of anything else end in an answer, a wait for more or a FastCgiError, and never hold more than a page", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        new AnswerReader().push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FastCgiError);
      }
    }),
  );
  const reader = new AnswerReader();
  const much = record(6, Buffer.alloc(65_535));
  expect(() => {
    for (let each = 0; each < 10; each++) reader.push(much);
  }).toThrow(FastCgiError);
});

test("the status page of the pool itself", async () => {
  const asked: Buffer[] = [];
  const port = await tcp((socket) =>
    socket.on("data", (chunk) => {
      asked.push(chunk);
      socket.end(answer(`Content-type: application/json\r\n\r\n${JSON.stringify(page)}`));
    }),
  );
  expect(await probe(at(port))).toMatchObject({
    state: "up",
    data: {
      facts: { processes: "1 / 10", queue: 0, pool: "www" },
      counters: { requests: 55, maxChildrenReached: 2, slowRequests: 3 },
    },
  });
  expect(Buffer.concat(asked).toString("latin1")).toMatch(/SCRIPT_NAME\/status.*QUERY_STRINGjson/s);
});

test("no status page, no FastCGI, closed at once, silent, dripping, nobody there", async () => {
  const says = (bytes: Buffer | string) => tcp((socket) => socket.on("data", () => socket.end(bytes)));
  const problem = async (port: number) => problemOf(await probe(at(port)));
  expect(await problem(await says(answer("Status: 404 Not Found\r\n\r\nFile not found.")))).toBe(
    "php_fpm.noStatus",
  );
  expect(await problem(await says(answer("\r\n\r\n<h1>hello</h1>")))).toBe("php_fpm.noStatus");
  expect(await problem(await says("HTTP/1.1 400 Bad Request\r\n\r\n"))).toBe("php_fpm.notFastCgi");
  expect(await problem(await tcp((socket) => socket.end()))).toBe("http.reset");
  expect(await problem(await tcp(() => {}))).toBe("http.timeout");
  const drip = await tcp((socket) => {
    const timer = setInterval(() => socket.write(record(7, Buffer.from("."))), 20);
    socket.on("close", () => clearInterval(timer));
  });
  expect(await problem(drip)).toBe("http.timeout");
  expect(await problem(9)).toBe("http.connectionRefused");
});
