// Traefik: what it routes, what it complains of, its counters, and something else there.
import { afterEach, expect, test } from "vitest";
import { closeServers, concernsOf, type Pages, pages, problemOf, wrongAnswers } from "../test-server";
import { probe } from "./traefik";

afterEach(closeServers);
const at = (url: string, metrics?: string) => ({ name: "edge", url, metrics, tls_days: 14, timeout: 300 });
const count = (total: number, errors = 0) => ({ total, warnings: 0, errors });
const well: Pages = {
  "/ping": "OK",
  "/api/overview": {
    http: { routers: count(12), services: count(8), middlewares: count(5) },
    tcp: { routers: count(0), services: count(0), middlewares: count(0) },
    features: { tracing: "", metrics: "Prometheus", accessLog: false },
    providers: ["Docker"],
  },
  "/api/http/services": [
    { name: "api@internal", provider: "internal", status: "enabled" },
    { name: "site@docker", status: "enabled", serverStatus: { "http://10.0.0.2:80": "UP" } },
  ],
  "/api/version": { Version: "v3.6.2", Codename: "ramequin" },
};

test("well: what there is to route", async () => {
  expect(await probe(at(await pages(well)))).toMatchObject({
    state: "up",
    data: { version: "3.6.2", facts: { routers: 12, services: 8, middlewares: 5 }, concerns: [] },
  });
  // Ping is not switched on everywhere.
  const { "/ping": _, ...quiet } = well;
  expect(problemOf(await probe(at(await pages(quiet))))).toBe("up");
  expect(problemOf(await probe(at(await pages({ ...well, "/ping": [503, "shutting down"] }))))).toBe(
    "api.failing",
  );
});

test("a broken middleware and a server that is down want a look", async () => {
  const http = { routers: count(12, 1), services: count(8), middlewares: count(5, 1) };
  const services = [
    {
      name: "a@docker",
      serverStatus: { "http://bob:s3cret@10.0.0.2:80": "DOWN", "http://10.0.0.3:80": "UP" },
    },
  ];
  const probed = await probe(
    at(await pages({ ...well, "/api/overview": { http }, "/api/http/services": services })),
  );
  expect(probed).toMatchObject({
    data: {
      concerns: [
        { problem: "traefik.errors", params: { errors: 2 } },
        { problem: "traefik.serverDown", params: { servers: "http://bob:•••@10.0.0.2:80" } },
      ],
    },
  });
});

test("its metrics: requests, certificates; without them it is up all the same", async () => {
  const ends = Math.floor(Date.now() / 1000);
  const metrics = [
    "# TYPE traefik_entrypoint_requests_total counter",
    'traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="http"} 40',
    'traefik_entrypoint_requests_total{code="502",entrypoint="web",method="GET",protocol="http"} 2',
    `traefik_tls_certs_not_after{cn="a.example",serial="1"} ${ends + 90 * 86_400}`,
    `traefik_tls_certs_not_after{cn="b.example",serial="2"} ${ends + 3.5 * 86_400}`,
  ].join("\n");
  const url = await pages({ ...well, "/metrics": metrics, "/other": "go_goroutines 3\n" });
  expect(await probe(at(url, `${url}/metrics`))).toMatchObject({
    data: {
      counters: { requests: 42, failed: 2 },
      facts: { days: 3 },
      concerns: [{ problem: "traefik.certificateEnds", params: { days: 3 } }],
    },
  });
  expect(concernsOf(await probe(at(url, `${url}/other`)))).toEqual(["traefik.noMetrics"]);
  expect(concernsOf(await probe(at(url, "http://127.0.0.1:9/metrics")))).toEqual(["http.connectionRefused"]);
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
