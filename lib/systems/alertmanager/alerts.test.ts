// What Alertmanager, or something else at its address, may answer about alerts and silences.
import { afterEach, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { closeServers, pages, web } from "../test-server";
import { addSilence, expireSilence, findSilence, heldAlerts, heldSilences } from "./alerts";

afterEach(closeServers);
const at = (url: string) => ({ name: "am", url, timeout: 300 });
const made = {
  matchers: [{ name: "alertname", value: "A", isRegex: false, isEqual: true }],
  startsAt: "2026-11-25T18:00:00Z",
  endsAt: "2026-11-25T20:00:00Z",
  createdBy: "Ada",
  comment: "why",
};
const problem = (error: unknown): string =>
  error instanceof AppError ? (error.detail.problem ?? error.code) : String(error);

test("an older one without isEqual is read", async () => {
  const { isEqual: _, ...matcher } = made.matchers[0] ?? { isEqual: true };
  const url = await pages({
    "/api/v2/silences": [{ ...made, id: "1", status: { state: "active" }, matchers: [matcher] }],
  });
  expect((await heldSilences(at(url)))[0]?.matchers).toEqual(made.matchers);
});

test.each([
  ["a mistake as a string", [400, JSON.stringify("bad matcher")], "alertmanager.refused"],
  ["a mistake as an object", [422, { code: 602, message: "comment is required" }], "alertmanager.refused"],
  ["a failure", [500, "oops"], "api.failing"],
  ["a page", "<h1>hello</h1>", "api.other"],
  ["no id", { silenceID: "" }, "api.other"],
  ["a refused sign-in", [403, "no"], "api.auth"],
])("a silence is refused: %s", async (_, page, expected) => {
  const url = await pages({ "/api/v2/silences": page });
  expect(await addSilence(at(url), made).catch(problem)).toBe(expected);
});

test("one that is not known, as each version says it", async () => {
  const old = await pages({ "/api/v2/silence/1": [500, JSON.stringify("silence not found")] });
  expect(await expireSilence(at(old), "1").catch(problem)).toBe("alertmanager.noSilence");
  const none = await pages({});
  expect(await findSilence(at(none), "1").catch(problem)).toBe("alertmanager.noSilence");
  expect(await expireSilence(at(none), "1").catch(problem)).toBe("alertmanager.noSilence");
});

test("nobody there, one that hangs, and what has not its shape", async () => {
  expect(await heldAlerts(at("http://127.0.0.1:9")).catch(problem)).toBe("http.connectionRefused");
  expect(await heldAlerts(at(await web(() => {}))).catch(problem)).toBe("http.timeout");
  expect(await heldAlerts(at(await pages({ "/api/v2/alerts": [{ labels: 5 }] }))).catch(problem)).toBe(
    "api.other",
  );
});
