// Plays the Cloudflare API in front of the edge's cache. Port 8001 is the API; port 8002 is for tests:
// plan, faults, scopes, what was received. What a purge removes here is really gone from the cache.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { checkPurge, checkQuery, inZone, route, settingPath } from "./contract.mjs";
import { answerGraphql } from "./graphql.mjs";
import { plans, queries, TokenBucket } from "./limits.mjs";
import { Settings } from "./settings.mjs";
import { CacheStore, underPrefix } from "./store.mjs";
import { Traffic } from "./traffic.mjs";

const token = process.env.CLOUDFLARE_TOKEN ?? "";
const firstPlan = process.env.CLOUDFLARE_PLAN ?? "pro";
if (!token) throw new Error("CLOUDFLARE_TOKEN is needed");
if (!plans[firstPlan]) throw new Error(`CLOUDFLARE_PLAN: no such plan: ${firstPlan}`);
const store = new CacheStore(process.env.EDGE_CACHE ?? "/var/cache/nginx/edge");

/** @param {string} text */
const id = (text) => createHash("md5").update(text).digest("hex");
const accountId = id("sluice-lab-account");
const zones = (process.env.CLOUDFLARE_ZONES ?? "site.localhost,shop.localhost")
  .split(",")
  .map((name) => ({ id: id(`zone ${name}`), name }));
const allScopes = ["cache_purge", "zone_read", "analytics_read", "zone_settings_edit"];
const settings = new Settings();
const traffic = new Traffic();
traffic.listen(Number(process.env.TRAFFIC_PORT ?? 8003));

/**
 * @typedef {{kind: "429"|"500"|"hang"|"garbage"|"reset"|"slow"|"lie", left: number | null,
 *   path?: string, retryAfter?: number, ms?: number, after?: boolean}} Fault
 * @typedef {{status: number, body: string, headers?: Record<string, string>}} Answer
 */
const faultKinds = ["429", "500", "hang", "garbage", "reset", "slow", "lie"];

/** @param {string} name @param {Partial<import("./limits.mjs").Plan>} [changes] */
function account(name, changes = {}) {
  const plan = { .../** @type {import("./limits.mjs").Plan} */ (plans[name]), ...changes };
  return {
    name,
    plan,
    lookups: new TokenBucket(plan.lookups),
    urls: new TokenBucket(plan.urls),
    queries: new TokenBucket(queries),
  };
}
let current = account(firstPlan);
/** @type {string[]} */
let scopes = allScopes;
let tokenStatus = "active";
/** @type {Fault[]} */
let faults = [];
/** @type {Record<string, unknown>[]} */
let received = [];
let sequence = 0;

/** @param {number} status @param {number} code @param {string} message @param {Record<string, string>} [headers] @returns {Answer} */
const failure = (status, code, message, headers) => ({
  status,
  headers,
  body: JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }),
});
/** @param {unknown} result @param {object} [more] @param {Record<string, string>} [headers] @returns {Answer} */
const success = (result, more = {}, headers) => ({
  status: 200,
  headers,
  body: JSON.stringify({ success: true, errors: [], messages: [], result, ...more }),
});

/** @param {{id: string, name: string}} zone */
const zoneObject = (zone) => ({
  id: zone.id,
  name: zone.name,
  status: "active",
  paused: false,
  type: "full",
  development_mode: 0,
  owner: { id: null, type: "user", email: null },
  account: { id: accountId, name: "Sluice lab" },
  meta: { cdn_only: false, dns_only: false, page_rule_quota: 3 },
  name_servers: ["amy.ns.cloudflare.com", "bob.ns.cloudflare.com"],
  original_name_servers: null,
  original_registrar: null,
  original_dnshost: null,
  created_on: "2024-01-01T00:00:00Z",
  modified_on: "2024-01-01T00:00:00Z",
  activated_on: "2024-01-01T00:00:00Z",
  plan: { id: id(`plan ${current.name}`), name: current.name, legacy_id: current.name },
});

/** @type {Record<string, (name: string, wanted: string) => boolean>} */
const filters = {
  equal: (name, wanted) => name === wanted,
  not_equal: (name, wanted) => name !== wanted,
  starts_with: (name, wanted) => name.startsWith(wanted),
  ends_with: (name, wanted) => name.endsWith(wanted),
  contains: (name, wanted) => name.includes(wanted),
};

/** @param {URLSearchParams} search @returns {Answer} */
function listZones(search) {
  const text = search.get("name") ?? "";
  const colon = text.indexOf(":");
  const filter = filters[colon < 0 ? "equal" : text.slice(0, colon).replace(/_case_sensitive$/, "")];
  const found = zones.filter((zone) => text === "" || (filter?.(zone.name, text.slice(colon + 1)) ?? false));
  const page = Number(search.get("page") ?? 1);
  const perPage = Number(search.get("per_page") ?? 20);
  const result = found.slice((page - 1) * perPage, page * perPage).map(zoneObject);
  return success(result, {
    result_info: {
      page,
      per_page: perPage,
      count: result.length,
      total_count: found.length,
      total_pages: Math.ceil(found.length / perPage),
    },
  });
}

/** @param {{id: string, name: string}} zone @param {unknown} body @param {boolean} soft @param {boolean} lie @returns {{answer: Answer, purged?: number}} */
function purge(zone, body, soft, lie) {
  const asked = checkPurge(body, zone.name, current.plan);
  if ("status" in asked) return { answer: failure(asked.status, asked.code, asked.message) };
  const bucket = asked.way === "files" ? current.urls : current.lookups;
  const taken = bucket.take(asked.way === "files" ? asked.targets.length : 1);
  const policy = `"default";q=${bucket.limit.capacity};w=${Math.ceil(bucket.limit.capacity / bucket.limit.rate)}`;
  if (!taken.ok) {
    return {
      answer: failure(
        429,
        1134,
        "Unable to purge, rate limit reached. Please wait if you need to perform more operations.",
        {
          "Retry-After": String(taken.waitSeconds),
          Ratelimit: `"default";r=${taken.remaining};t=${taken.waitSeconds}`,
          "Ratelimit-Policy": policy,
        },
      ),
    };
  }
  const own = (/** @type {URL} */ url) => inZone(url.hostname, zone.name);
  let purged = 0;
  if (!lie) {
    if (asked.way === "files") purged = store.purgeUrls(asked.targets, soft);
    else {
      const wanted = "items" in asked ? asked.items.map((item) => item.toLowerCase()) : [];
      const items = new Set(wanted);
      purged = store.purgeWhere((entry) => {
        if (!own(entry.url)) return false;
        if (asked.way === "tags") return entry.tags.some((tag) => items.has(tag));
        if (asked.way === "hosts") return items.has(entry.url.hostname);
        if (asked.way === "prefixes") return asked.items.some((prefix) => underPrefix(entry.url, prefix));
        return true;
      }, soft);
    }
  }
  const headers = {
    Ratelimit: `"default";r=${taken.remaining};t=${bucket.fullIn()}`,
    "Ratelimit-Policy": policy,
  };
  return { answer: success({ id: zone.id }, {}, headers), purged };
}

/** @param {string} text @returns {{body: any} | {wrong: Answer}} */
function readJson(text) {
  try {
    return { body: JSON.parse(text) };
  } catch {
    return { wrong: failure(400, 6007, "Malformed JSON in request body") };
  }
}

/** @param {string | undefined} method @param {string | undefined} authorization @param {string} text @returns {Answer} */
function analytics(method, authorization, text) {
  if (method !== "POST") return failure(405, 10405, "Method not allowed for this authentication scheme");
  const bearer = /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? "")?.[1];
  if (!bearer || !isToken(bearer) || tokenStatus !== "active")
    return failure(400, 10000, "Authentication error");
  const taken = current.queries.take(1);
  if (!taken.ok)
    return {
      status: 429,
      headers: { "Retry-After": String(taken.waitSeconds) },
      body: JSON.stringify({
        data: null,
        errors: [
          {
            message: "rate limiter budget depleted, try again after 5 minutes",
            path: [],
            extensions: { code: "budget" },
          },
        ],
      }),
    };
  const read = readJson(text);
  if ("wrong" in read) return read.wrong;
  return answerGraphql(read.body, {
    zones,
    plan: current.name,
    rows: traffic.all(),
    allowed: scopes.includes("analytics_read"),
  });
}

/** @param {string | undefined} method @param {string} zone @param {string} name @param {string} text @returns {Answer} */
function setting(method, zone, name, text) {
  const now = settings.read(zone, name);
  if (!now) return failure(400, 1003, `Invalid or missing zone setting ${name}`);
  if (method === "GET") return success(now);
  if (method !== "PATCH") return failure(405, 10405, "Method not allowed for this authentication scheme");
  const read = readJson(text);
  if ("wrong" in read) return read.wrong;
  if (
    Object.keys(read.body ?? {}).join() !== "value" ||
    !settings.write(zone, name, read.body.value, current.name)
  )
    return failure(400, 1007, `Invalid value for zone setting ${name}`);
  return success(settings.read(zone, name));
}

/** @param {string} given */
const isToken = (given) => {
  const hash = (/** @type {string} */ text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
};

/**
 * @param {import("node:http").IncomingMessage} request @param {URL} url @param {string} text @param {boolean} lie
 * @returns {{answer: Answer, purged?: number}}
 */
function answerApi(request, url, text, lie) {
  const method = request.method ?? "GET";
  if (!url.pathname.startsWith("/client/v4/")) return { answer: failure(404, 7003, `No route for the URI`) };
  const path = url.pathname.slice("/client/v4".length);
  if (path === "/graphql") return { answer: analytics(method, request.headers.authorization, text) };
  const found = route(method, path);
  if ("status" in found) return { answer: failure(found.status, found.code, found.message) };

  const authorization = request.headers.authorization;
  if (!authorization)
    return { answer: failure(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers") };
  const verify = found.template === "/user/tokens/verify";
  const bearer = /^Bearer ([\x21-\x7e]+)$/.exec(authorization)?.[1];
  if (!bearer) return { answer: failure(400, 6003, "Invalid request headers") };
  if (!isToken(bearer)) {
    return {
      answer: verify ? failure(401, 1000, "Invalid API Token") : failure(401, 10000, "Authentication error"),
    };
  }
  if (verify) {
    return {
      answer: success(
        { id: id("token"), status: tokenStatus },
        { messages: [{ code: 10000, message: "This API Token is valid and active" }] },
      ),
    };
  }
  if (tokenStatus !== "active") return { answer: failure(401, 10000, "Authentication error") };
  const wrongQuery = checkQuery(found.template, method, url.searchParams);
  if (wrongQuery) return { answer: failure(wrongQuery.status, wrongQuery.code, wrongQuery.message) };

  const needed =
    found.template === settingPath
      ? "zone_settings_edit"
      : method === "POST" && /(purge|invalidate)_cache$/.test(path)
        ? "cache_purge"
        : "zone_read";
  if (!scopes.includes(needed)) return { answer: failure(403, 10000, "Authentication error") };
  if (found.template === "/zones") {
    if (method !== "GET") return { answer: failure(403, 10000, "Authentication error") };
    return { answer: listZones(url.searchParams) };
  }
  const zone = zones.find((known) => known.id === found.params.zone_id);
  if (!zone)
    return {
      answer: failure(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`),
    };
  if (needed === "zone_settings_edit")
    return { answer: setting(method, zone.id, found.params.setting_id ?? "", text) };
  if (needed === "zone_read") {
    if (method !== "GET") return { answer: failure(403, 10000, "Authentication error") };
    return { answer: success(zoneObject(zone)) };
  }
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return { answer: failure(400, 6003, "Content-Type must be application/json") };
  }
  const read = readJson(text);
  if ("wrong" in read) return { answer: read.wrong };
  return purge(zone, read.body, path.endsWith("/invalidate_cache"), lie);
}

/** @param {import("node:http").IncomingMessage} request @param {number} most */
async function readBody(request, most) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > most) throw new Error("too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @param {string} path */
function nextFault(path) {
  const fault = faults.find((one) => !one.path || path.includes(one.path));
  if (fault && fault.left !== null) {
    fault.left -= 1;
    if (fault.left <= 0) faults = faults.filter((one) => one !== fault);
  }
  return fault;
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

const api = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://api");
  /** @type {Record<string, unknown>} */
  const record = {
    n: ++sequence,
    at: new Date().toISOString(),
    method: request.method,
    path: url.pathname,
    query: url.search,
  };
  received.push(record);
  // A load test must not fill the memory with its own history.
  if (received.length > 20_000) received.splice(0, received.length - 20_000);
  try {
    const text = await readBody(request, 4 * 1024 * 1024);
    try {
      record.body = JSON.parse(text);
    } catch {
      record.body = text.slice(0, 2000);
    }
    const fault = nextFault(url.pathname);
    if (fault) record.fault = fault.kind;
    const instead = fault && fault.kind !== "lie" && fault.kind !== "slow";
    let answer;
    if (!instead || fault.after) {
      const done = answerApi(request, url, text, fault?.kind === "lie");
      answer = done.answer;
      if (done.purged !== undefined) record.purged = done.purged;
    }
    if (fault?.kind === "slow") await sleep(fault.ms ?? 1000);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "429") {
      const wait = String(fault.retryAfter ?? 2);
      answer = failure(429, 1134, "Unable to purge, rate limit reached.", {
        "Retry-After": wait,
        Ratelimit: `"default";r=0;t=${wait}`,
      });
    } else if (fault?.kind === "500") answer = failure(500, 10001, "Internal Error");
    else if (fault?.kind === "garbage") {
      record.status = 200;
      response.writeHead(200, { "Content-Type": "application/json" }).end('<html>\u0000{"success": tru');
      return;
    }
    if (!answer) throw new Error("no answer was made");
    record.status = answer.status;
    response
      .writeHead(answer.status, {
        "Content-Type": "application/json",
        "CF-Ray": `${id(String(sequence)).slice(0, 16)}-LAB`,
        ...answer.headers,
      })
      .end(answer.body);
  } catch (error) {
    record.status = 500;
    record.error = String(error);
    if (!response.headersSent) response.writeHead(500, { "Content-Type": "application/json" });
    response.end(failure(500, 10001, "Internal Error").body);
  }
});

/** @param {any} body @returns {[number, unknown]} */
function setFault(body) {
  if (!faultKinds.includes(String(body?.kind)))
    return [400, { error: `kind must be one of ${faultKinds.join(", ")}` }];
  const count = body.count ?? null;
  if (count !== null && !(Number.isInteger(count) && count > 0))
    return [400, { error: "count must be a positive integer" }];
  faults.push({
    kind: String(body.kind),
    left: count,
    path: body.path,
    retryAfter: body.retryAfter,
    ms: body.ms,
    after: body.after === true,
  });
  return [200, { faults }];
}

function stateOf() {
  return {
    plan: current.name,
    limits: current.plan,
    tokens: {
      lookups: current.lookups.left(),
      urls: current.urls.left(),
      queries: current.queries.left(),
    },
    faults,
    scopes,
    tokenStatus,
    zones,
    received: sequence,
  };
}

/** @param {string} method @param {URL} url @param {any} body @returns {[number, unknown]} */
function control(method, url, body) {
  switch (`${method} ${url.pathname}`) {
    case "POST /queries":
      // As if somebody else had used the allowance up.
      current.queries.tokens = Number(body?.left ?? 0);
      return [200, stateOf()];
    case "GET /state":
      return [200, stateOf()];
    case "POST /plan": {
      if (!plans[body?.plan ?? current.name])
        return [400, { error: `plan must be one of ${Object.keys(plans).join(", ")}` }];
      const { plan = current.name, ...changes } = body;
      current = account(plan, changes);
      return [200, stateOf()];
    }
    case "POST /fault":
      return setFault(body);
    case "DELETE /fault":
      faults = [];
      return [200, { faults }];
    case "POST /scopes":
      if (Array.isArray(body?.scopes)) scopes = body.scopes;
      if (body?.status) tokenStatus = body.status;
      return [200, stateOf()];
    case "GET /requests": {
      const since = Number(url.searchParams.get("since") ?? 0);
      return [200, { requests: received.filter((one) => Number(one.n) > since) }];
    }
    case "GET /cache": {
      const prefix = url.searchParams.get("prefix") ?? "";
      const entries = store.entries().filter((entry) => entry.key.startsWith(prefix));
      return [
        200,
        { count: entries.length, entries: entries.slice(0, 500).map(({ key, tags }) => ({ key, tags })) },
      ];
    }
    case "POST /reset":
      current = account(firstPlan);
      scopes = allScopes;
      tokenStatus = "active";
      faults = [];
      received = [];
      settings.clear();
      return [200, { ...stateOf(), purged: body?.cache ? store.purgeWhere(() => true, false) : 0 }];
    default:
      return [
        404,
        {
          error:
            "GET /state, /requests?since=, /cache?prefix=; POST /plan, /fault, /scopes, /queries, /reset; DELETE /fault",
        },
      ];
  }
}

const controlServer = createServer(async (request, response) => {
  /** @param {[number, unknown]} answer */
  const reply = ([status, body]) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(`${JSON.stringify(body)}\n`);
  try {
    const text = await readBody(request, 1024 * 1024);
    reply(
      control(
        request.method ?? "GET",
        new URL(request.url ?? "/", "http://control"),
        text ? JSON.parse(text) : {},
      ),
    );
  } catch (error) {
    reply([400, { error: String(error) }]);
  }
});

api.keepAliveTimeout = 30_000;
api.listen(Number(process.env.API_PORT ?? 8001), "0.0.0.0");
controlServer.listen(Number(process.env.CONTROL_PORT ?? 8002), "0.0.0.0");
for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT"])) process.on(signal, () => process.exit(0));
