// Failures of every kind end in one shape.
import { describe, expect, it } from "vitest";
import { lineOf, problemOf } from "./problem";

describe("problemOf", () => {
  it("reads what the API says", () => {
    const error = Object.assign(new Error("no"), {
      code: "INVALID_INPUT",
      data: {
        problem: "url.foreignHost",
        params: { host: "x.test", nested: {} },
        field: "target.urls.0",
        requestId: "r1",
        problems: [{ field: "target.urls.0", problem: "url.foreignHost", params: { host: "x.test" } }],
      },
    });
    expect(problemOf(error)).toEqual({
      code: "INVALID_INPUT",
      message: "no",
      problem: "url.foreignHost",
      params: { host: "x.test" },
      field: "target.urls.0",
      requestId: "r1",
      problems: [{ field: "target.urls.0", problem: "url.foreignHost", params: { host: "x.test" } }],
    });
  });
  it("calls no answer at all offline, and anything else internal", () => {
    expect(problemOf(new TypeError("fetch failed")).code).toBe("OFFLINE");
    expect(problemOf(null).code).toBe("INTERNAL");
    expect(problemOf("?").code).toBe("INTERNAL");
  });
});

it("finds the line a problem is on", () => {
  expect(lineOf("target.urls.3")).toBe(4);
  expect(lineOf("urls.0")).toBe(1);
  expect(lineOf("target.prefix")).toBeNull();
  expect(lineOf(null)).toBeNull();
});
