// What Prometheus, or a proxy before it, may answer.
import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { closeConnections } from "../exchange";
import { query, queryRange, quoted } from "./prometheus";

const servers: Server[] = [];
afterEach(async () => {
  await closeConnections();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function serve(status: number, body: unknown) {
  const seen: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? "", authorization: request.headers.authorization });
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return { target: { name: "p", url: `http://127.0.0.1:${address.port}/prom`, timeout: 2000 }, seen };
}

test("a range: NaN and infinities are gaps, warnings are kept", async () => {
  const values = [
    [1, "0.5"],
    [2, "NaN"],
    [3, "+Inf"],
  ];
  const data = { resultType: "matrix", result: [{ metric: { name: "a" }, values }] };
  const { target, seen } = await serve(200, { status: "success", data, warnings: ["partial"] });
  const got = await queryRange({ ...target, token: "t" }, 'x{name="a b"}', { start: 1, end: 3, step: 1 });
  expect(got.series[0]?.samples.map(({ value }) => value)).toEqual([0.5, null, null]);
  expect(got.warnings).toEqual(["partial"]);
  expect(seen[0]?.url).toMatch(/^\/prom\/api\/v1\/query_range\?query=x%7Bname.*timeout=1800ms/);
  expect(seen[0]?.authorization).toBe("Bearer t");
});

const error = (errorType: string, text: string) => ({ status: "error", errorType, error: text });
test.each([
  [400, error("bad_data", "parse error"), "REFUSED", "prometheus.query"],
  [422, error("execution", "query processing would load too many samples"), "REFUSED", "prometheus.tooMany"],
  [503, error("timeout", "query timed out"), "TIMEOUT", "prometheus.slow"],
  [401, "Unauthorized", "UPSTREAM_AUTH", "prometheus.auth"],
  [200, "<html>Sign in</html>", "BAD_ANSWER", "prometheus.notApi"],
  [200, { status: "success" }, "BAD_ANSWER", "prometheus.notApi"],
])("status %i is told in our words", async (status, body, code, problem) => {
  const { target } = await serve(status, body);
  await expect(query(target, "up")).rejects.toMatchObject({ code, detail: { problem } });
});

test("a name cannot leave its quotes", () => {
  expect(quoted('a"} or up{b="\\\n')).toBe('"a\\"} or up{b=\\"\\\\\\n"');
});
