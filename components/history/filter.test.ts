// History's address says what is shown, and nothing that is not understood gets through.
import { describe, expect, it } from "vitest";
import { exportAddress, filterOf, withFilter } from "./filter";
import { outcomeOf } from "./outcome";

describe("filterOf", () => {
  it("takes what it knows and drops the rest", () => {
    const filter = filterOf(
      new URLSearchParams("search=%20a%20&state=boiling&outcome=stale&from=yesterday&x=1&actor="),
    );
    expect(filter).toEqual({ search: "a", outcome: "stale" });
    expect(filterOf(new URLSearchParams("state=failed")).state).toBe("failed");
  });
  it("takes whole days of the reader's zone", () => {
    const { from, to } = filterOf(new URLSearchParams("from=2026-11-23&to=2026-11-23"));
    expect(Date.parse(to ?? "") - Date.parse(from ?? "")).toBe(86_400_000 - 1);
    expect(filterOf(new URLSearchParams("from=2026-13-45")).from).toBeUndefined();
  });
});

it("changes one filter and keeps the others", () => {
  const now = new URLSearchParams("kind=purge&state=done");
  expect(withFilter(now, "state", "failed")).toBe("/history?kind=purge&state=failed");
  expect(withFilter(new URLSearchParams("kind=purge"), "kind", "")).toBe("/history");
});

it("exports the same selection", () => {
  expect(exportAddress({ search: "a b", state: "done" }, "csv")).toBe(
    "/api/v1/changes/export?format=csv&search=a+b&state=done",
  );
});

it("never shows an unknown outcome as good", () => {
  expect(outcomeOf({ state: "done", outcome: "unknown" }).tone).toBe("unknown");
  expect(outcomeOf({ state: "done", outcome: "fresh" }).tone).toBe("up");
  expect(outcomeOf({ state: "failed", outcome: "stale" }).tone).toBe("down");
});
