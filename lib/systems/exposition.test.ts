// The text format as exporters write it, and as they never should.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readMetrics, sumOf } from "./exposition";

test("samples with and without labels, escapes, timestamps, words for numbers", () => {
  const metrics = readMetrics(
    [
      "# HELP a says",
      "# TYPE a counter",
      "a 12",
      'b{x="1",y="a,\\"b\\"\\n{}"} 3.5 1700000000000',
      'b{x="2",} 4',
      "inf +Inf",
      "none NaN",
      "broken{x=1} 3",
      "not a line",
    ].join("\n"),
  );
  expect(metrics?.get("b")?.[0]).toEqual({ labels: { x: "1", y: 'a,"b"\n{}' }, value: 3.5 });
  expect(metrics?.get("inf")?.[0]?.value).toBe(Infinity);
  expect(metrics?.get("none")?.[0]?.value).toBeNaN();
  expect(metrics?.has("broken")).toBe(false);
  expect(metrics && [sumOf(metrics, "b"), sumOf(metrics, "b", { x: "2" }), sumOf(metrics, "c")]).toEqual([
    7.5,
    4,
    null,
  ]);
  expect(readMetrics("<html>no</html>")).toBeNull();
});

test("what was written is read, whatever a label holds", () => {
  const name = fc.stringMatching(/^[a-z_]{1,8}$/);
  fc.assert(
    fc.property(name, fc.dictionary(name, fc.string()), fc.integer(), (metric, labels, value) => {
      const plain = { ...labels };
      const escaped = Object.entries(plain).map(
        ([key, text]) => `${key}="${text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`,
      );
      // A line ends at a line feed only; others are trimmed with its ends, never inside of quotes.
      const read = readMetrics(`${metric}{${escaped.join(",")}} ${value}\n`);
      expect(read?.get(metric)).toEqual([{ labels: plain, value }]);
    }),
  );
});
