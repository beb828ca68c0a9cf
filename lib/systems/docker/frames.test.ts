// Docker's log frames: any cut of the bytes gives the same lines, in linear time and bounded memory.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameParser, maxLineBytes } from "./frames";

const frame = (stream: number, body: Buffer | string): Buffer => {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};
const all = (parser: FrameParser, chunks: readonly Buffer[]) => [
  ...chunks.flatMap((chunk) => parser.push(chunk)),
  ...parser.end(),
];

describe("frames", () => {
  test("two streams, each with its own unfinished line", () => {
    const bytes = [frame(1, "a"), frame(2, "x\n"), frame(1, "b\nc"), frame(2, "y")];
    expect(all(new FrameParser(false), bytes)).toEqual([
      { stream: "stderr", text: "x", cut: 0 },
      { stream: "stdout", text: "ab", cut: 0 },
      { stream: "stdout", text: "c", cut: 0 },
      { stream: "stderr", text: "y", cut: 0 },
    ]);
  });

  test("any cut of the same bytes gives the same lines", () => {
    const framed = fc.array(
      fc.tuple(fc.constantFrom(1, 2), fc.string({ unit: fc.constantFrom("a", "\n", "é", "🚰", "\r") })),
    );
    fc.assert(
      fc.property(framed, fc.array(fc.nat(200)), (frames, cuts) => {
        const whole = Buffer.concat(frames.map(([stream, text]) => frame(stream, text)));
        const at = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        const pieces = [...at, whole.length].map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
        expect(all(new FrameParser(false), pieces)).toEqual(all(new FrameParser(false), [whole]));
      }),
    );
  });

  test("a terminal sends bare bytes, with carriage returns", () => {
    expect(all(new FrameParser(true), [Buffer.from("one\r\ntw"), Buffer.from("o\r\n")])).toEqual([
      { stream: "stdout", text: "one", cut: 0 },
      { stream: "stdout", text: "two", cut: 0 },
    ]);
  });

  test("a line of 2 MB is cut, and what was cut is counted; the next line is whole", () => {
    const long = Buffer.alloc(2 * 1024 * 1024, "x");
    const lines = all(new FrameParser(false), [frame(1, Buffer.concat([long, Buffer.from("\nnext\n")]))]);
    expect(lines[0]?.text.length).toBe(maxLineBytes);
    expect(lines[0]?.cut).toBe(long.length - maxLineBytes);
    expect(lines[1]).toEqual({ stream: "stdout", text: "next", cut: 0 });
  });

  test("bytes that are no UTF-8 are shown as such, not lost", () => {
    const [line] = all(new FrameParser(false), [
      frame(2, Buffer.from([0x61, 0xff, 0xfe, 0x62, 0xc3, 0x28, 0x0a])),
    ]);
    expect(line?.text).toBe("a\ufffd\ufffdb\ufffd(");
  });

  test("what is no frame is refused", () => {
    expect(() => new FrameParser(false).push(Buffer.from("<html>\n<body>"))).toThrow(RangeError);
  });

  test("4,000 frames of two bytes in one chunk, and millions after it, need no depth", () => {
    const many = Buffer.concat(Array.from({ length: 200_000 }, () => frame(1, "x\n")));
    expect(new FrameParser(false).push(many)).toHaveLength(200_000);
  });
});
