// The greeting, whole, in pieces and broken.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anonymousLogin, packet, readGreeting } from "./greeting";

const greeting = (version: string) =>
  packet(
    0,
    Buffer.concat([
      Buffer.from([10]),
      Buffer.from(`${version}\0`),
      Buffer.alloc(4, 7),
      Buffer.from("12345678\0"),
      Buffer.alloc(40, 1),
    ]),
  );

test("versions of both products", () => {
  expect(readGreeting(greeting("5.5.5-10.11.6-MariaDB-0+deb12u1"))).toEqual({
    state: "greeting",
    version: "10.11.6",
    product: "MariaDB",
  });
  expect(readGreeting(greeting("11.4.2-MariaDB"))).toEqual({
    state: "greeting",
    version: "11.4.2",
    product: "MariaDB",
  });
  expect(readGreeting(greeting("8.0.36"))).toEqual({
    state: "greeting",
    version: "8.0.36",
    product: "MySQL",
  });
  expect(readGreeting(greeting("5.5.5-m3"))).toMatchObject({ version: "5.5.5" });
});

test("a refusal is told with its number", () => {
  const text = "Host '192.0.2.1' is blocked because of many connection errors";
  expect(
    readGreeting(packet(0, Buffer.concat([Buffer.from([0xff, 0x69, 0x04]), Buffer.from(text)]))),
  ).toEqual({ state: "error", code: 1129, message: text });
  expect(
    readGreeting(
      packet(0, Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from("#08004Too many connections")])),
    ),
  ).toEqual({
    state: "error",
    code: 1040,
    message: "Too many connections",
  });
});

test("any piece of a greeting asks for more, and the whole one is read whatever follows", () => {
  const whole = greeting("5.5.5-10.11.6-MariaDB");
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 20 }), (cut, more) => {
      expect(readGreeting(whole.subarray(0, cut))).toEqual({ state: "more" });
      expect(readGreeting(Buffer.concat([whole, more]))).toMatchObject({
        state: "greeting",
        version: "10.11.6",
      });
    }),
  );
});

test("bytes of anything else never throw and never wait for more than a packet", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(["more", "greeting", "error", "garbage"]).toContain(readGreeting(bytes).state);
    }),
  );
  expect(readGreeting(Buffer.from("HTTP/1.1 400 Bad Request\r\n")).state).toBe("garbage");
  expect(readGreeting(Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")).state).toBe("garbage");
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4101, maxLength: 4200 }), (bytes) => {
      expect(readGreeting(bytes).state).not.toBe("more");
    }),
  );
});

test("the anonymous sign-in is one packet that names nobody real", () => {
  const login = anonymousLogin();
  expect(login.readUIntLE(0, 3)).toBe(login.length - 4);
  expect(login[3]).toBe(1);
  expect(login.includes("sluice-probe\0")).toBe(true);
});
