// What Prometheus may say of its alert rules.
import { afterEach, expect, test } from "vitest";
import { closeServers, pages } from "../test-server";
import { alertRules } from "./rules";

afterEach(closeServers);
const at = (url: string) => ({ name: "p", url, timeout: 500 });
const told = (rules: unknown[]) => ({
  "/api/v1/rules": { status: "success", data: { groups: [{ rules }] } },
});
const one = (state: string, value: string) => ({
  labels: { alertname: "A" },
  annotations: {},
  state,
  activeAt: "2026-11-25T18:00:00.123456789Z",
  value,
});

test("what fires and what is about to, with numbers as Go writes them; a rule that fails is named", async () => {
  const alerts = [one("firing", "1.2e+01"), one("pending", "+Inf"), one("inactive", "0")];
  const url = await pages(
    told([
      { name: "A", health: "ok", alerts },
      { name: "B", health: "err", lastError: "many-to-many matching not allowed", alerts: null },
      { name: "C", health: "unknown" },
    ]),
  );
  const got = await alertRules(at(url));
  expect(got.alerts.map(({ state, value, activeAt }) => [state, value, activeAt])).toEqual([
    ["firing", 12, "2026-11-25T18:00:00.123Z"],
    ["pending", null, "2026-11-25T18:00:00.123Z"],
  ]);
  expect(got.failing).toEqual([{ name: "B", error: "many-to-many matching not allowed" }]);
});

test("what is not its API is told", async () => {
  const wrong = async (page: unknown) =>
    alertRules(at(await pages({ "/api/v1/rules": page }))).catch((error) => error.detail.problem);
  expect(await wrong("<html>Sign in</html>")).toBe("prometheus.notApi");
  expect(await wrong({ status: "success", data: { groups: [{ rules: [{ name: 5 }] }] } })).toBe(
    "prometheus.notApi",
  );
  expect(await wrong([401, "no"])).toBe("prometheus.auth");
});
