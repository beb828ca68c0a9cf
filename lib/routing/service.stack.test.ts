// What /routing/match says of routers and their children is what a real Traefik does.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { closeConnections, exchange } from "../systems/exchange";
import { testStack, until } from "../systems/test-stack";
import { httpRouters } from "../systems/traefik/routers";
import { startTestTraefik, type TestTraefik } from "../systems/traefik/test-traefik";
import { routersOf } from "./service";

const stack = testStack();
/** Whoever takes a request says so in a header; `shut` is a parent whose children take nothing. */
const files = {
  "trees.yml": `http:
  routers:
    top: { rule: Host(\`tree.example\`), entryPoints: [web], middlewares: [seen] }
    shut: { rule: Host(\`shut.example\`), entryPoints: [web] }
    left: { rule: PathPrefix(\`/left\`), parentRefs: [top], service: ping@internal, middlewares: [left] }
    right: { rule: PathPrefix(\`/right\`), parentRefs: [top], middlewares: [right] }
    deep: { rule: Method(\`GET\`), parentRefs: [right@file], service: ping@internal, middlewares: [deep] }
    none: { rule: Path(\`/never\`), parentRefs: [shut], service: ping@internal }
  middlewares:
    seen: { headers: { customResponseHeaders: { X-Top: "1" } } }
    left: { headers: { customResponseHeaders: { X-Taken: left@file } } }
    right: { headers: { customResponseHeaders: { X-Right: "1" } } }
    deep: { headers: { customResponseHeaders: { X-Taken: deep@file } } }
`,
};

describe.skipIf(!stack)("parents and their children", () => {
  if (!stack) return;
  let house: House;
  let edge: TestTraefik;
  beforeAll(async () => {
    edge = await startTestTraefik(stack, {
      files,
      ports: { web: 8000 },
      options: ["--entryPoints.web.address=:8000", "--ping=true"],
    });
    house = await openHouse(`systems: { traefik: [{ name: edge, url: "${edge.url}" }] }`);
    await until(
      "its routers are there",
      async () =>
        (await httpRouters({ name: "edge", url: edge.url, timeout: 2000, tls_days: 14 })).length > 6,
    );
  }, 90_000);
  afterAll(async () => {
    await edge?.stop();
    await house?.close();
    await closeConnections();
  });

  test.each([
    ["tree.example", "/left/1", ["top@file", "left@file"]],
    ["tree.example", "/right/1", ["top@file", "right@file", "deep@file"]],
    ["tree.example", "/other", ["top@file", null]],
    ["shut.example", "/", ["shut@file", null]],
  ])("%s%s goes the way that is told", async (host, path, way) => {
    const [routed] = await routersOf({ url: `http://${host}${path}`, method: "GET" });
    expect(routed?.problem).toBeNull();
    const point = routed?.entryPoints.find(({ name }) => name === "web");
    const stages = [point, ...(point?.below ?? [])].map(
      (stage) => stage?.candidates.find(({ state }) => state === "taken")?.name ?? null,
    );
    expect(stages).toEqual(way);
    const last = way.at(-1);
    const { status, headers } = await exchange({
      base: `http://127.0.0.1:${edge.ports.web}`,
      host,
      path,
      timeoutMs: 5000,
    });
    expect([status, headers["x-taken"] ?? null]).toEqual(last === null ? [404, null] : [200, last]);
  });
});
