// Grafana: well, without its database, with a token it does not take, and something else there.
import { afterEach, expect, test } from "vitest";
import { closeServers, pages, problemOf, web, wrongAnswers } from "../test-server";
import { probe } from "./grafana";

afterEach(closeServers);
const at = (url: string, token?: string) => ({ name: "grafana", url, token, timeout: 300 });
const healthy = { database: "ok", version: "12.3.0", commit: "abc" };

test("its version; a database that is gone is down, and says so", async () => {
  expect(await probe(at(await pages({ "/api/health": healthy })))).toMatchObject({
    state: "up",
    data: { version: "12.3.0", facts: { database: "ok" } },
  });
  const gone = await pages({ "/api/health": [503, { ...healthy, database: "failing" }] });
  expect(problemOf(await probe(at(gone)))).toBe("grafana.database");
});

test("a token: taken, taken but of little use, not taken; never sent to the health route", async () => {
  const seen: (string | undefined)[] = [];
  const url = await web((request, response) => {
    const { authorization } = request.headers;
    if (request.url === "/api/health") {
      seen.push(authorization);
      response.end(JSON.stringify(healthy));
    } else
      response.writeHead({ "Bearer good": 200, "Bearer small": 403 }[authorization ?? ""] ?? 401).end("{}");
  });
  expect(problemOf(await probe(at(url, "good")))).toBe("up");
  expect(problemOf(await probe(at(url, "small")))).toBe("up");
  const wrong = await probe(at(url, "wrong-token"));
  expect(problemOf(wrong)).toBe("api.auth");
  expect(JSON.stringify(wrong)).not.toContain("wrong-token");
  expect(seen).toEqual([undefined, undefined, undefined]);
});

test("what is wrong is told", async () => {
  expect(await wrongAnswers((url) => probe(at(url)))).toEqual({
    refused: "http.connectionRefused",
    hanging: "http.timeout",
    page: "api.other",
    moved: "api.other",
    password: "api.auth",
    failing: "api.failing",
  });
});
