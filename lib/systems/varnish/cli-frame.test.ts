// Frames that arrive in any pieces, and arguments that stay arguments.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { authAnswer, commandLine, FrameError, FrameParser, quoteArgument } from "./cli-frame";

const frame = (status: number, body: string) =>
  Buffer.concat([
    Buffer.from(`${String(status).padEnd(3)} ${String(Buffer.byteLength(body)).padEnd(8)}\n`),
    Buffer.from(`${body}\n`),
  ]);
/** How Varnish reads one quoted argument (VAV_BackSlash). */
function unquote(quoted: string): Buffer {
  const bytes: number[] = [];
  for (let at = 1; at < quoted.length - 1; at++) {
    if (quoted[at] !== "\\") bytes.push(quoted.charCodeAt(at));
    else if (/[0-3]/.test(quoted[at + 1] ?? "")) {
      bytes.push(Number.parseInt(quoted.slice(at + 1, at + 4), 8));
      at += 3;
    } else {
      at += 1;
      bytes.push(quoted[at] === "n" ? 10 : quoted.charCodeAt(at));
    }
  }
  return Buffer.from(bytes);
}

test("frames come out whole however they are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 100, max: 999 }), fc.string({ unit: "binary", maxLength: 60 })), {
        maxLength: 6,
      }),
      fc.array(fc.nat(400), { maxLength: 20 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(([status, body]) => frame(status, body)));
        const parser = new FrameParser();
        const edges = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const got = edges.slice(1).flatMap((edge, index) => parser.push(bytes.subarray(edges[index], edge)));
        expect(got).toEqual(
          frames.map(([status, body]) => ({ status, body: Buffer.from(body).toString("utf8") })),
        );
      },
    ),
  );
});

test("what is not the CLI is refused, not waited for", () => {
  expect(() => new FrameParser().push(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toThrow(FrameError);
  expect(() => new FrameParser().push(Buffer.from("200 99999999\nx"))).toThrow(FrameError);
  expect(() => new FrameParser().push(Buffer.from("200 2       \nabcd"))).toThrow(FrameError);
  expect(new FrameParser().push(Buffer.from("200 2       \nab"))).toEqual([]);
});

test("an argument is one argument on one line and reads back as itself", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
      (text) => {
        const quoted = quoteArgument(text);
        expect(quoted).toMatch(/^"([^"\\]|\\["\\n]|\\[0-3][0-7]{2})*"$/);
        expect(quoted).toMatch(/^[\x20-\x7e]*$/);
        expect(unquote(quoted)).toEqual(Buffer.from(text));
      },
    ),
  );
  expect(() => quoteArgument("a\0b")).toThrow(FrameError);
  expect(() => commandLine("ban\nstop", [])).toThrow(FrameError);
  expect(commandLine("ban", ["obj.http.x", "~", 'c"'])).toBe('ban obj.http.x ~ "c\\""\n');
  expect(() => commandLine("vcl.state", ["a b", "c d"])).toThrow(FrameError);
});

test("authenticates as the protocol's own example does", () => {
  // From varnish-cli(7): challenge ixslvv…, secret file "foo\n".
  const challenge = "ixslvvxrgkjptxmcgnnsdxsvdmvfympg";
  expect(authAnswer(challenge, Buffer.from("foo\n"))).toBe(
    "455ce847f0073c7ab3b1465f74507b75d3dc064c1e7de3b71e00de9092fdc89a",
  );
});
