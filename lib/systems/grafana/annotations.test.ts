// Grafana's annotations: made, written anew, found, and what it refuses.
import { afterEach, expect, test } from "vitest";
import { closeServers, web } from "../test-server";
import { createAnnotation, findAnnotation, updateAnnotation } from "./annotations";
import { testGrafana } from "./test-grafana";

afterEach(closeServers);
const at = (url: string, token = "token") => ({ name: "grafana", url, token, timeout: 300 });
const mark = { time: 1_700_000_000_000, tags: ["sluice", "sluice-change-7"], text: "purge" };

test("made, found by its tag, written anew; one that was taken away is told", async () => {
  const grafana = await testGrafana("token");
  const id = await createAnnotation(at(grafana.url), mark);
  await createAnnotation(at(grafana.url), { ...mark, tags: ["sluice-change-8"] });
  expect(await findAnnotation(at(grafana.url), "sluice-change-7")).toBe(id);
  expect(await findAnnotation(at(grafana.url), "sluice-change-9")).toBeNull();
  expect(await updateAnnotation(at(grafana.url), id, { ...mark, timeEnd: mark.time + 5 })).toBe(true);
  expect(grafana.annotations.get(id)).toEqual({ ...mark, id, timeEnd: mark.time + 5 });
  expect(await updateAnnotation(at(grafana.url), 99, mark)).toBe(false);
});

test("what it refuses: a text that is missing, a wrong token, a reader's token (which finds nothing it may not)", async () => {
  const grafana = await testGrafana("token");
  const code = (promise: Promise<unknown>) => promise.catch((error) => error.code);
  expect(await code(createAnnotation(at(grafana.url), { ...mark, text: "" }))).toBe("REFUSED");
  expect(await code(createAnnotation(at(grafana.url, "wrong"), mark))).toBe("UPSTREAM_AUTH");
  expect(await code(findAnnotation(at(grafana.url, "wrong"), "x"))).toBe("UPSTREAM_AUTH");
  const reader = await testGrafana("reader");
  expect(await code(createAnnotation(at(reader.url, "reader"), mark))).toBe("UPSTREAM_AUTH");
  const blind = await web((_, response) => response.writeHead(403).end("{}"));
  expect(await findAnnotation(at(blind), "x")).toBeNull();
  grafana.fault = 502;
  expect(await code(createAnnotation(at(grafana.url), mark))).toBe("BAD_ANSWER");
  grafana.fault = "lost";
  expect(await code(createAnnotation(at(grafana.url), mark))).toBe("TIMEOUT");
  const other = await web((_, response) => response.end("<h1>hello</h1>"));
  expect(await code(createAnnotation(at(other), mark))).toBe("BAD_ANSWER");
});
