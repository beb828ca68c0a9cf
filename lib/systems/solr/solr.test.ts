// Solr: its cores, one that did not start, one that does not answer, and something else there.
import { afterEach, expect, test } from "vitest";
import { closeServers, concernsOf, type Pages, pages, problemOf, wrongAnswers } from "../test-server";
import { probe } from "./solr";

afterEach(closeServers);
const at = (url: string, core?: string) => ({ name: "solr", url, core, timeout: 300 });
const header = { responseHeader: { status: 0, QTime: 1 } };
const core = (numDocs: number, deletedDocs: number) => ({
  uptime: 1000,
  index: { numDocs, deletedDocs, maxDoc: numDocs + deletedDocs, size: "1 MB" },
});
const cores = (initFailures: object) => ({
  ...header,
  initFailures,
  status: { website: core(100, 5), media: core(20, 0) },
});
const answer = { ...header, response: { numFound: 100, start: 0, numFoundExact: true, docs: [] } };
const well: Pages = {
  "/solr/admin/cores": cores({}),
  "/solr/admin/info/system": {
    ...header,
    mode: "std",
    lucene: { "solr-spec-version": "9.10.0", "lucene-spec-version": "9.12.3" },
    jvm: { memory: { raw: { free: 1, total: 4, max: 400, used: 100 } }, jmx: { upTimeMS: 61_000 } },
  },
  "/solr/website/admin/ping": { ...header, status: "OK" },
  "/solr/website/select": answer,
  "/solr/media/admin/ping": { ...header, status: "OK" },
  "/solr/media/select": answer,
};

test("well: every core is asked, and the figures are told", async () => {
  expect(await probe(at(await pages(well)))).toMatchObject({
    state: "up",
    data: {
      version: "9.10.0",
      facts: { cores: 2, documents: 120, deleted: 5, heap: 25, uptime: 61, mode: "std" },
      concerns: [],
    },
  });
});

test("a later version that tells less of itself is well, too", async () => {
  const url = await pages({
    ...well,
    "/solr/admin/cores": { ...header, status: { website: {} } },
    "/solr/admin/info/system": { lucene: { "solr-spec-version": "10.0.0" } },
    "/solr/website/admin/ping": [404, "no such handler"],
  });
  expect(await probe(at(url))).toMatchObject({
    data: { version: "10.0.0", facts: { cores: 1 }, concerns: [] },
  });
});

test("a core that did not start: a look, and down where it is the one that matters", async () => {
  const failure = { broken: "org.apache.solr.common.SolrException: Could not load conf" };
  const url = await pages({ ...well, "/solr/admin/cores": cores(failure) });
  expect(concernsOf(await probe(at(url)))).toEqual(["solr.initFailures"]);
  expect(problemOf(await probe(at(url, "broken")))).toBe("solr.coreFailed");
  expect(concernsOf(await probe(at(url, "website")))).toEqual(["solr.initFailures"]);
});

test("a core out of service, one that answers no query, one that is not there", async () => {
  const url = await pages({
    ...well,
    "/solr/website/admin/ping": [503, "Service disabled"],
    "/solr/media/select": [400, { error: { code: 400, msg: "undefined field" } }],
  });
  expect(concernsOf(await probe(at(url)))).toEqual(["solr.ping", "solr.query"]);
  expect(problemOf(await probe(at(url, "website")))).toBe("up");
  expect(problemOf(await probe(at(url, "media")))).toBe("solr.query");
  expect(problemOf(await probe(at(url, "nowhere")))).toBe("solr.query");
  const failing = await pages({ ...well, "/solr/media/select": [500, "out of memory"] });
  expect(problemOf(await probe(at(failing, "media")))).toBe("api.failing");
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
