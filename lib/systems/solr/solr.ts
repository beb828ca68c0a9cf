// Solr 9 and 10 by their own API: cores and those that did not start, the heap, a ping and a real query of each core.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { get, type JsonApi, notProduct, read, shaped } from "../json-api";
import { look } from "../look";
import type { Probed } from "../system";

/** One server, as sluice.yaml has it; `url` without /solr. */
export type SolrServer = JsonApi & {
  /** The core (or collection) that must answer; every core is asked when left out. */
  readonly core?: string | undefined;
};

const product = "Solr";
/** Each costs two exchanges per look. */
const mostCores = 10;

const cores = z.object({
  // 200 even when a core did not start: why stands here, by its name.
  initFailures: z.record(z.string(), z.unknown()).default({}),
  status: z.record(
    z.string(),
    z.object({
      index: z.object({ numDocs: z.number(), deletedDocs: z.number().nullish() }).nullish(),
    }),
  ),
});
const info = z.object({
  mode: z.string().nullish(),
  lucene: z.object({ "solr-spec-version": z.string() }),
  jvm: z
    .object({
      jmx: z.object({ upTimeMS: z.number().nullish() }).nullish(),
      memory: z.object({ raw: z.object({ used: z.number(), max: z.number() }) }).nullish(),
    })
    .nullish(),
});
const pinged = z.object({ status: z.string() });
const found = z.object({ response: z.object({ numFound: z.number() }) });

/** Resolves with what is wrong with a core, or null. Throws AppError only where Solr itself does not answer. */
async function complaint(server: SolrServer, core: string): Promise<ToldProblem | null> {
  const at = `/solr/${encodeURIComponent(core)}`;
  const params = { system: server.name, core };
  const [ping, query] = await Promise.all([
    get(server, `${at}/admin/ping?wt=json`),
    get(server, `${at}/select?q=*:*&rows=0&wt=json`),
  ]);
  if (query.status !== 200 || shaped(query, found) === null)
    return { problem: "solr.query", params: { ...params, status: query.status } };
  // 404: this core has no ping handler. 503: an administrator took it out of service by its health file.
  const status = ping.status === 200 ? (shaped(ping, pinged)?.status ?? "?") : String(ping.status);
  if (ping.status === 404 || status === "OK") return null;
  return { problem: "solr.ping", params: { ...params, says: status.slice(0, 40) } };
}

/** Facts: mode, cores, documents, deleted, heap (percent), uptime (s). */
export const probe = (server: SolrServer): Promise<Probed> =>
  look(`solr:${server.name}`, async () => {
    const [{ status, initFailures }, system] = await Promise.all([
      read(server, product, "/solr/admin/cores?action=STATUS&wt=json", cores),
      read(server, product, "/solr/admin/info/system?wt=json", info),
    ]);
    const names = Object.keys(status);
    const broken = Object.keys(initFailures);
    const { core } = server;
    if (core !== undefined && broken.includes(core))
      throw new AppError("BAD_ANSWER", `${server.name}: the core ${core} did not start.`, {
        problem: "solr.coreFailed",
        params: { system: server.name, core },
      });

    // A collection of SolrCloud is no core's name, and is asked all the same.
    const asked = core === undefined ? names.slice(0, mostCores) : [core];
    const told = await Promise.all(asked.map((one) => complaint(server, one)));
    const concerns = told.filter((one) => one !== null);
    const missing = concerns.find(({ problem }) => problem === "solr.query");
    if (core !== undefined && missing !== undefined) {
      const code = Number(missing.params.status);
      if (code >= 500) throw notProduct(server, product, code);
      throw new AppError("BAD_ANSWER", `${server.name}: ${core} does not answer a query (${code}).`, {
        problem: "solr.query",
        params: missing.params,
      });
    }
    if (broken.length > 0)
      concerns.unshift({
        problem: "solr.initFailures",
        params: { system: server.name, cores: broken.join(", ").slice(0, 200) },
      });

    const documents = Object.values(status).reduce((sum, { index }) => sum + (index?.numDocs ?? 0), 0);
    const deleted = Object.values(status).reduce((sum, { index }) => sum + (index?.deletedDocs ?? 0), 0);
    const facts: Record<string, string | number> = { cores: names.length, documents, deleted };
    const { memory, jmx } = system.jvm ?? {};
    if (memory && memory.raw.max > 0) facts.heap = Math.round((100 * memory.raw.used) / memory.raw.max);
    if (jmx?.upTimeMS != null) facts.uptime = Math.round(jmx.upTimeMS / 1000);
    if (system.mode != null) facts.mode = system.mode;
    return { version: system.lucene["solr-spec-version"], facts, concerns };
  });
