// What the bits and the text of a probe say.
import { expect, test } from "vitest";
import { averagesOf, looksOf } from "./facts";

const runs = (looks: readonly string[]) =>
  looks.join("").replace(/none/g, "-").replace(/good/g, "G").replace(/bad/g, "b");

test("a probe that is always good, in all 64 bits", () => {
  const all = String(2n ** 64n - 1n);
  expect(runs(looksOf({ bits_4: all, bits_X: all, bits_R: all, bits_H: all, window: 8 }))).toBe(
    "G".repeat(64),
  );
});

test("looks from before the first that is known are unknown; in the window they are bad", () => {
  // Sent and not answered, thrice; before it two good ones.
  expect(runs(looksOf({ bits_4: "0", bits_X: "31", bits_R: "24", bits_H: "24", window: 3 }))).toBe(
    `${"-".repeat(59)}GGbbb`,
  );
  // A probe that never connected leaves no bit at all.
  expect(runs(looksOf({ bits_X: "0", bits_H: "0", window: 8 }))).toBe(`${"-".repeat(56)}${"b".repeat(8)}`);
  expect(looksOf({})).toEqual([]);
});

test("averages by backend; 0 is none", () => {
  const text = `Backend name   Admin      Probe     Health     Last change
boot.a         probe      0/8       sick       Thu, 26 Nov 2026 19:17:25 GMT
 Current states  good:  0 threshold:  3 window:  8
  Average response time of good probes: 0.000000
boot.b         probe      8/8       healthy    Thu, 26 Nov 2026 19:17:25 GMT
 Current states  good:  8 threshold:  3 window:  8
  Average response time of good probes: 0.001587
boot.d         healthy    0/0       healthy    Thu, 26 Nov 2026 19:17:25 GMT
`;
  const found = averagesOf(text);
  expect([...found.keys()]).toEqual(["boot.b"]);
  expect(found.get("boot.b")).toBeCloseTo(1.587, 6);
});
