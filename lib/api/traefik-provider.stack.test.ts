// Files that Sluice serves to a real Traefik's HTTP provider: put in force, taken back, and Sluice away for a while.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { configSource } from "../config/load";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import { registerRouting } from "../routing/files/register";
import { revisionsOf } from "../routing/files/revisions";
import { traefikCalled } from "../routing/files/servers";
import { save } from "../routing/files/service";
import { filesProblems, filesSoon } from "../routing/files/watch";
import { closeConnections, exchange } from "../systems/exchange";
import { freePort, testStack, until } from "../systems/test-stack";
import { startTestTraefik, type TestTraefik } from "../systems/traefik/test-traefik";
import { type Served, serve } from "./serve.fixture";
import { answerTraefik } from "./traefik-provider";

const stack = testStack();
const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const traefik = "polled";
const token = "provider-token-1";

describe.skipIf(!stack)("Traefik's HTTP provider", () => {
  if (!stack) return;
  let house: House;
  let edge: TestTraefik;
  let served: Served;
  let port = 0;
  let web = "";
  /** Status and token of each question that Traefik asked. */
  const asked: number[] = [];
  const open = async () => {
    const answer = async (request: Request) => {
      const given = await answerTraefik(request);
      asked.push(given.status);
      return given;
    };
    served = await serve(answer, { port, host: "0.0.0.0" });
  };

  beforeAll(async () => {
    port = await freePort();
    edge = await startTestTraefik(
      stack,
      {
        files: {},
        ports: { web: 8000 },
        options: [
          "--entryPoints.web.address=:8000",
          "--ping=true",
          "--providers.providersThrottleDuration=100ms",
          `--providers.http.endpoint=http://sluice.test:${port}/api/traefik/${traefik}`,
          "--providers.http.pollInterval=500ms",
          `--providers.http.headers.Authorization=Bearer ${token}`,
        ],
      },
      ["--add-host", "sluice.test:host-gateway"],
    );
    web = `http://127.0.0.1:${edge.ports.web}`;
    house = await openHouse(`
systems:
  traefik:
    - { name: ${traefik}, url: "${edge.url}", provider_token: ${token}, entry_points: { web: "${web}" }, timeout: 2s }
`);
    registerRouting();
    await open();
  }, 90_000);
  afterAll(async () => {
    await served?.close();
    await edge?.stop();
    await house?.close();
    await closeConnections();
  }, 60_000);

  const files = (word: string, service = "ping@internal") => [
    {
      name: "b.yml",
      text: `http:\n  routers:\n    page: { rule: Host(\`shop.example\`), service: ${service}, middlewares: [seen] }\n  services: { closed: { loadBalancer: { servers: [] } } }\n`,
    },
    {
      name: "a.yml",
      text: `http:\n  middlewares:\n    seen: { headers: { customResponseHeaders: { X-Seen: "${word}" } } }\n`,
    },
  ];
  const saved = async (made: { name: string; text: string }[]) => {
    const newest = (await revisionsOf(traefik))[0]?.number ?? null;
    return (await save({ traefik, files: made, newest, parent: newest }, ada)).number;
  };
  const begin = (revision: number) =>
    engine().start({
      kind: "traefik.apply",
      input: { traefik, revision, watchS: 0, probes: ["http://shop.example/"] },
      actor: ada,
      origin: "page",
    });
  const apply = async (revision: number) => engine().wait(await begin(revision), 60_000);
  const seen = async () => {
    const { status, headers } = await exchange({
      base: web,
      host: "shop.example",
      path: "/",
      timeoutMs: 5000,
    });
    return status === 200 ? (headers["x-seen"] ?? null) : status;
  };
  /** Waits until Traefik has asked so often more. */
  const polled = (times: number) => {
    const before = asked.length;
    return until("it has asked", async () => asked.length >= before + times, 20_000);
  };

  test("from nothing to a first revision, a second, and back", async () => {
    await polled(1);
    expect(asked.at(-1)).toBe(503);
    expect(await filesSoon(traefikCalled(traefik), 0)).toMatchObject({
      by: "http",
      state: "up",
      expected: null,
    });
    const first = await apply(await saved(files("one")));
    expect(first).toMatchObject({ state: "done", outcome: "inForce" });
    expect(await seen()).toBe("one");
    const second = await apply(await saved(files("two")));
    expect(second.state).toBe("done");
    expect(await seen()).toBe("two");
    expect(await engine().wait(await engine().undo(second.id, ada), 60_000)).toMatchObject({ state: "done" });
    expect(await seen()).toBe("one");
    expect(await filesSoon(traefikCalled(traefik), 0)).toMatchObject({
      revision: 1,
      expected: 1,
      served: true,
    });
    expect(await filesProblems(traefikCalled(traefik))).toEqual([]);
  }, 60_000);

  test("a page that fails with it: served what was before", async () => {
    const row = await apply(await saved(files("bad", "closed")));
    expect(row.error?.message).toMatch(/answers 503, and 200 before/);
    await until("it serves what was before", async () => (await seen()) === "one", 20_000);
  }, 60_000);

  test("a template and TOML are refused", async () => {
    for (const [name, text, problem] of [
      ["t.yml", '# {{ env "X" }}\n', "routing.httpTemplate"],
      ["t.toml", "[http]\n", "routing.httpToml"],
    ] as const)
      expect(
        await begin(await saved([...files("one"), { name, text }])).then(
          () => "good",
          (error: unknown) => toAppError(error).detail.problem,
        ),
      ).toBe(problem);
  });

  test("Sluice away, then with another token: Traefik goes on with what it has", async () => {
    await served.close();
    // It asks every half second, and finds nobody.
    const until_ = Date.now() + 2000;
    await until("some of its questions are lost", async () => Date.now() > until_, 5000);
    expect(await seen()).toBe("one");
    await open();
    await polled(2);
    expect([asked.at(-1), await seen()]).toEqual([200, "one"]);

    const file = process.env.SLUICE_CONFIG ?? "";
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(token, "another-token"));
    configSource().reload();
    await polled(3);
    expect([asked.at(-1), await seen()]).toEqual([401, "one"]);
    writeFileSync(file, text);
    configSource().reload();
    await polled(3);
    expect([asked.at(-1), await seen()]).toEqual([200, "one"]);
    expect((await apply(await saved(files("three")))).state).toBe("done");
    expect(await seen()).toBe("three");
  }, 60_000);

  test("the very first one fails: Traefik is left without any of it", async () => {
    await db().routingState.deleteMany();
    const row = await engine().wait(
      await engine().start({
        kind: "traefik.apply",
        input: {
          traefik,
          revision: await saved(files("first", "closed")),
          watchS: 0,
          probes: ["http://shop.example/"],
        },
        actor: ada,
        origin: "page",
      }),
      60_000,
    );
    expect(row.error?.message).toMatch(/answers 503, and 200 before/);
    await until("nothing is left of it", async () => (await seen()) === 404, 20_000);
    await polled(2);
    expect([asked.at(-1), await seen()]).toEqual([503, 404]);
  }, 60_000);
});
