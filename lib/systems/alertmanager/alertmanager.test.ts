// Alertmanager: well, at odds with its peers, and something else there; its secrets stay there.
import { afterEach, expect, test } from "vitest";
import { closeServers, concernsOf, pages, wrongAnswers } from "../test-server";
import { probe } from "./alertmanager";

afterEach(closeServers);
const at = (url: string) => ({ name: "am", url, username: "u", password: "hunter2", timeout: 300 });
const status = (cluster: object) => ({
  "/api/v2/status": {
    cluster,
    config: { original: "smtp_auth_password: hunter3" },
    uptime: "2026-11-25T18:00:00Z",
    versionInfo: { version: "0.28.1", branch: "HEAD" },
  },
});

test("its version and peers; one alone is well; a cluster that settles wants a look", async () => {
  const well = await probe(at(await pages(status({ status: "ready", peers: [{}, {}] }))));
  expect(well).toMatchObject({ state: "up", data: { version: "0.28.1", facts: { peers: 2 }, concerns: [] } });
  expect(JSON.stringify(well)).not.toMatch(/hunter/);
  expect(concernsOf(await probe(at(await pages(status({ status: "disabled" })))))).toEqual([]);
  expect(concernsOf(await probe(at(await pages(status({ status: "settling", peers: [{}] })))))).toEqual([
    "alertmanager.cluster",
  ]);
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
