// What the API accepts: the official OpenAPI document, and the refusals that it only describes in words.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Debian's node-ajv lives outside of any node_modules that an import would look at.
const requireFrom = createRequire(import.meta.url);
const Ajv = loadAjv();
function loadAjv() {
  try {
    return requireFrom("ajv");
  } catch {
    return requireFrom("/usr/share/nodejs/ajv");
  }
}

const document = JSON.parse(readFileSync(new URL("./cloudflare-openapi.json", import.meta.url), "utf8"));
const ajv = new Ajv({ nullable: true, unknownFormats: "ignore", schemaId: "auto", logger: false });
const coercing = new Ajv({ nullable: true, unknownFormats: "ignore", coerceTypes: true, logger: false });

/** @typedef {{status: number, code: number, message: string}} Refusal */

/** @param {number} status @param {number} code @param {string} message @returns {Refusal} */
export const refusal = (status, code, message) => ({ status, code, message });

/** Compiles one schema of the document; its $refs point into the document. @param {any} engine @param {any} schema */
const compile = (engine, schema) => engine.compile({ ...schema, components: document.components });

const purgePath = "/zones/{zone_id}/purge_cache";
const bodySchema = document.paths[purgePath].post.requestBody.content["application/json"].schema;
const anyBody = compile(ajv, bodySchema);
/** The one schema of the document that describes each way to purge. */
const oneBody = {
  files: [
    compile(ajv, { $ref: "#/components/schemas/cache-purge_SingleFile" }),
    compile(ajv, { $ref: "#/components/schemas/cache-purge_SingleFileWithUrlAndHeaders" }),
  ],
  tags: [compile(ajv, { $ref: "#/components/schemas/cache-purge_FlexPurgeByTags" })],
  hosts: [compile(ajv, { $ref: "#/components/schemas/cache-purge_FlexPurgeByHostnames" })],
  prefixes: [compile(ajv, { $ref: "#/components/schemas/cache-purge_FlexPurgeByPrefixes" })],
  purge_everything: [compile(ajv, { $ref: "#/components/schemas/cache-purge_Everything" })],
};
/** @type {(keyof typeof oneBody)[]} */
const ways = ["files", "tags", "hosts", "prefixes", "purge_everything"];

/** @param {string} template */
function matcher(template) {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, "([^/]+)")}$`);
  return (/** @type {string} */ path) => {
    const match = pattern.exec(path);
    return match ? Object.fromEntries(names.map((name, index) => [name, match[index + 1] ?? ""])) : undefined;
  };
}

/** Each setting by its name; the document that is kept here was cut before them. */
export const settingPath = "/zones/{zone_id}/settings/{setting_id}";
// invalidate_cache is younger than the document; it takes the same bodies.
const routes = [
  ...Object.entries(document.paths),
  ["/zones/{zone_id}/invalidate_cache", document.paths[purgePath]],
  [settingPath, { get: {}, patch: {} }],
].map(([template, operations]) => ({
  template: /** @type {string} */ (template),
  operations,
  match: matcher(template),
}));

/**
 * @param {string} method @param {string} path without /client/v4
 * @returns {{template: string, params: Record<string, string>} | Refusal}
 */
export function route(method, path) {
  for (const { template, operations, match } of routes) {
    const params = match(path);
    if (!params) continue;
    if (operations[method.toLowerCase()]) return { template, params };
    return refusal(405, 10405, "Method not allowed for this authentication scheme");
  }
  return refusal(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
}

/** @param {string} template @param {string} method @param {URLSearchParams} search @returns {Refusal | undefined} */
export function checkQuery(template, method, search) {
  const operations = document.paths[template];
  for (const parameter of operations?.[method.toLowerCase()]?.parameters ?? []) {
    if (parameter.in !== "query") continue;
    const value = search.get(parameter.name);
    if (value === null) continue;
    const check = compile(coercing, { type: "object", properties: { value: parameter.schema } });
    if (!check({ value })) {
      return refusal(400, 1001, `Invalid ${parameter.name}: ${check.errors?.[0]?.message ?? "not allowed"}`);
    }
  }
  return undefined;
}

/**
 * @typedef {{way: "files", targets: {url: string, headers?: Record<string, string>}[]}
 *   | {way: "tags" | "hosts" | "prefixes", items: string[]} | {way: "purge_everything"}} Purge
 */

/**
 * @param {unknown} body @param {string} zoneName @param {{urlsPerCall: number, itemsPerCall: number}} plan
 * @returns {Purge | Refusal}
 */
export function checkPurge(body, zoneName, plan) {
  const nothing = refusal(
    400,
    1012,
    'Request must contain one of "purge_everything", "files", "tags", "hosts" or "prefixes"',
  );
  if (typeof body !== "object" || body === null || Array.isArray(body)) return nothing;
  const record = /** @type {Record<string, unknown>} */ (body);
  const given = ways.filter((way) => way in record);
  const way = given[0];
  if (!way) return nothing;
  if (given.length > 1)
    return refusal(400, 1092, `Only one of ${given.map((name) => `"${name}"`).join(", ")} may be given`);
  const unknown = Object.keys(record).filter((name) => name !== way);
  if (unknown.length > 0) return refusal(400, 1012, `Unknown field "${unknown[0]}"`);

  if (way === "purge_everything") {
    if (record[way] !== true || !oneBody[way][0]?.(record)) return nothing;
    return { way };
  }
  const list = record[way];
  if (!Array.isArray(list)) return refusal(400, 1014, `"${way}" must be an array`);
  if (list.length === 0) return nothing;
  if (!anyBody(record) || !oneBody[way].some((check) => check(record))) {
    const failed = oneBody[way].find((check) => check.errors)?.errors?.[0];
    return refusal(
      400,
      1012,
      `Invalid "${way}"${failed?.dataPath ?? ""}: ${failed?.message ?? "not allowed"}`,
    );
  }
  const most = way === "files" ? plan.urlsPerCall : plan.itemsPerCall;
  if (list.length > most)
    return refusal(400, 1094, `Unable to purge more than ${most} ${way} in one request`);

  if (way === "files") {
    const targets = list.map((item) => (typeof item === "string" ? { url: item } : item));
    for (const { url } of targets) {
      const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
      if (!parsed || !/^https?:$/.test(parsed.protocol) || !inZone(parsed.hostname, zoneName)) {
        return refusal(400, 1016, `Unable to purge ${String(url)}, which is an invalid URL.`);
      }
    }
    return { way, targets };
  }
  for (const item of list) {
    const wrong =
      way === "tags"
        ? item.length > 1024 || !/^[\x21-\x7e]+$/.test(item) || item.includes(",")
        : way === "prefixes"
          ? /^[a-z]+:\/\//i.test(item) || /[?#\s]/.test(item) || !inZone(item.split("/")[0] ?? "", zoneName)
          : !inZone(item, zoneName);
    if (wrong)
      return refusal(400, 1016, `Unable to purge ${item}, which is an invalid ${way.replace(/e?s$/, "")}.`);
  }
  return { way, items: list };
}

/** @param {string} host @param {string} zoneName */
export const inZone = (host, zoneName) => {
  const bare = host.toLowerCase();
  return bare === zoneName || bare.endsWith(`.${zoneName}`);
};
