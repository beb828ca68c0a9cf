// The GraphQL analytics: reads a query, refuses what the official one refuses, and answers from what really went through the edge.
import { inZone } from "./contract.mjs";

/** @typedef {{name: string, alias: string, args: Record<string, any>, fields: Field[] | null}} Field */
/** @typedef {import("./traffic.mjs").Row} Row */
/** @typedef {{id: string, name: string}} Zone */

export class Refused extends Error {
  /** @param {string} message @param {string} code @param {(string | number)[]} [path] */
  constructor(message, code, path = []) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

const token = /[\s,]+|#[^\n]*|(\.\.\.|[!$():=@[\]{}|]|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*)/y;

/** @param {string} text */
function tokensOf(text) {
  const found = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw new Refused(`syntax error: unexpected "${text[at]}" at ${at}`, "parser");
    if (match[1]) found.push(match[1]);
  }
  return found;
}

/** One query, its variables put in. @param {string} text @param {Record<string, unknown>} variables @returns {Field[]} */
export function parseQuery(text, variables) {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = () => tokens[at];
  const next = () => {
    const one = tokens[at++];
    if (one === undefined) throw new Refused("syntax error: unexpected end", "parser");
    return one;
  };
  const expect = (/** @type {string} */ wanted) => {
    const one = next();
    if (one !== wanted) throw new Refused(`syntax error: expected "${wanted}", found "${one}"`, "parser");
  };
  const name = () => {
    const one = next();
    if (!/^[_A-Za-z]/.test(one)) throw new Refused(`syntax error: expected a name, found "${one}"`, "parser");
    return one;
  };
  /** @returns {any} */
  const value = () => {
    const one = next();
    if (one === "$") {
      const variable = name();
      if (!(variable in declared)) throw new Refused(`unknown variable "${variable}"`, "parser");
      return variables[variable];
    }
    if (one === "[") {
      const list = [];
      while (peek() !== "]") list.push(value());
      next();
      return list;
    }
    if (one === "{") {
      /** @type {Record<string, unknown>} */
      const object = {};
      while (peek() !== "}") {
        const key = name();
        colon();
        object[key] = value();
      }
      next();
      return object;
    }
    if (one.startsWith('"')) return JSON.parse(one);
    if (/^-?\d/.test(one)) return Number(one);
    return { true: true, false: false, null: null }[one] ?? one;
  };
  const colon = () => expect(":");
  /** @returns {Field[]} */
  const selection = () => {
    expect("{");
    const fields = [];
    while (peek() !== "}") {
      if (peek() === "..." || peek() === "@") throw new Refused("fragments are not played here", "parser");
      let field = name();
      let alias = field;
      if (peek() === ":") {
        next();
        alias = field;
        field = name();
      }
      /** @type {Record<string, unknown>} */
      const args = {};
      if (peek() === "(") {
        next();
        while (peek() !== ")") {
          const key = name();
          colon();
          args[key] = value();
        }
        next();
      }
      fields.push({ name: field, alias, args, fields: peek() === "{" ? selection() : null });
    }
    next();
    return fields;
  };

  /** @type {Record<string, true>} */
  const declared = {};
  if (peek() === "query") {
    next();
    if (peek() !== "(" && peek() !== "{") name();
    if (peek() === "(") {
      next();
      while (peek() !== ")") {
        expect("$");
        const variable = name();
        declared[variable] = true;
        colon();
        name();
        const needed = peek() === "!";
        if (needed) next();
        if (needed && variables[variable] == null)
          throw new Refused(`variable "${variable}" must be defined`, "parser");
      }
      next();
    }
  }
  const fields = selection();
  if (peek() !== undefined) throw new Refused(`syntax error: unexpected "${peek()}"`, "parser");
  return fields;
}

/** @param {number} at @param {number} step */
const stamp = (at, step) => new Date(Math.floor(at / step) * step).toISOString().replace(".000Z", "Z");
/** @type {Record<string, (row: Row) => string | number>} */
const times = {
  datetime: ({ at }) => stamp(at, 1000),
  datetimeMinute: ({ at }) => stamp(at, 60_000),
  datetimeHour: ({ at }) => stamp(at, 3_600_000),
};

/**
 * What the analytics know of: the words of the official schema, as many of them as are needed here.
 * `widest`: seconds that one query may span. `plans`: who has it.
 * @type {Record<string, {of: (row: Row) => boolean, dimensions: Record<string, (row: Row) => string | number>,
 *   sums: Record<string, (row: Row) => number>, filters: string[], plans: string[], widest: number, oldest: number}>}
 */
const nodes = {
  httpRequestsAdaptiveGroups: {
    of: () => true,
    dimensions: {
      ...times,
      cacheStatus: ({ cache }) => cache,
      edgeResponseStatus: ({ status }) => status,
      clientRequestHTTPHost: ({ host }) => host,
    },
    sums: { edgeResponseBytes: ({ bytes }) => bytes, visits: ({ count }) => count },
    filters: ["requestSource"],
    plans: ["free", "pro", "business", "enterprise"],
    widest: 86_400,
    oldest: 691_200,
  },
  firewallEventsAdaptiveGroups: {
    of: ({ blocked }) => blocked,
    dimensions: {
      ...times,
      action: () => "block",
      source: () => "firewallManaged",
      clientRequestHTTPHost: ({ host }) => host,
    },
    sums: {},
    filters: [],
    plans: ["pro", "business", "enterprise"],
    widest: 86_400,
    oldest: 1_209_600,
  },
};

/** @type {Record<string, (value: any, wanted: any) => boolean>} */
const tests = {
  "": (value, wanted) => value === wanted,
  _neq: (value, wanted) => value !== wanted,
  _gt: (value, wanted) => value > wanted,
  _geq: (value, wanted) => value >= wanted,
  _lt: (value, wanted) => value < wanted,
  _leq: (value, wanted) => value <= wanted,
  _in: (value, wanted) => wanted.includes(value),
  _notin: (value, wanted) => !wanted.includes(value),
};

/** @param {Field} field @param {Zone} zone @param {string} plan @param {Row[]} rows @param {number} now @param {(string | number)[]} path */
function answerNode(field, zone, plan, rows, now, path) {
  const node = nodes[field.name];
  if (!node) throw new Refused(`unknown field "${field.name}"`, "parser", path);
  if (!node.plans.includes(plan))
    throw new Refused(`zone "${zone.id}" does not have access to the path`, "authz", path);
  const wrong = (/** @type {string} */ what) =>
    new Refused(`error parsing args for "${field.name}": ${what}`, "parser", path);
  const unknown = Object.keys(field.args).find((one) => !["filter", "limit", "orderBy"].includes(one));
  if (unknown) throw wrong(`unknown arg ${unknown}`);
  const { filter, limit, orderBy = [] } = field.args;
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw wrong("limit must be positive number and not greater than 10000");
  if (typeof filter !== "object" || filter === null) throw wrong("filter is needed");

  /** @type {((row: Row) => boolean)[]} */
  const checks = [];
  let [from, to] = [Number.NaN, now];
  for (const [key, wanted] of Object.entries(filter)) {
    if (node.filters.includes(key)) continue;
    const [, dimension = key, operator = ""] = /^(\w+?)(_(?:neq|gt|geq|lt|leq|in|notin))?$/.exec(key) ?? [];
    const read = node.dimensions[dimension];
    const test = tests[operator];
    if (!read || !test) throw wrong(`filter: unknown field ${key}`);
    if (dimension in times) {
      const time = Date.parse(wanted);
      if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(wanted)) || Number.isNaN(time))
        throw wrong(`filter: ${key} is not a time`);
      if (/^_g/.test(operator)) from = time;
      if (/^_l/.test(operator)) to = time;
      checks.push((row) => test(Date.parse(String(read(row))), time));
    } else checks.push((row) => test(read(row), wanted));
  }
  if (Number.isNaN(from)) throw wrong("filter: a time range is needed");
  const wide = Math.round((to - from) / 1000);
  if (wide > node.widest)
    throw new Refused(
      `query time range is too large for zone "${zone.id}". Time range can't be wider than ${node.widest}s, but it's ${wide}s`,
      "quota",
      path,
    );
  if (now - from > node.oldest * 1000)
    throw new Refused(`cannot request data older than ${node.oldest}s`, "quota", path);

  const selected = field.fields ?? [];
  if (selected.length === 0) throw new Refused(`"${field.name}" must have a selection`, "parser", path);
  const names = (/** @type {string} */ part, /** @type {readonly string[]} */ known) => {
    const asked = selected.filter(({ name }) => name === part).flatMap(({ fields }) => fields ?? []);
    for (const { name } of asked)
      if (!known.includes(name)) throw new Refused(`unknown field "${name}"`, "parser", [...path, part]);
    return asked.map(({ name }) => name);
  };
  for (const { name } of selected)
    if (!["count", "dimensions", "sum", "avg"].includes(name))
      throw new Refused(`unknown field "${name}"`, "parser", path);
  const dimensions = names("dimensions", Object.keys(node.dimensions));
  const sums = names("sum", Object.keys(node.sums));
  names("avg", ["sampleInterval"]);

  /** @type {Map<string, {dimensions: Record<string, any>, count: number, sum: Record<string, number>}>} */
  const groups = new Map();
  for (const row of rows) {
    if (!inZone(row.host, zone.name) || !node.of(row) || !checks.every((check) => check(row))) continue;
    const own = Object.fromEntries(dimensions.map((one) => [one, node.dimensions[one]?.(row)]));
    const key = JSON.stringify(own);
    const group = groups.get(key) ?? { dimensions: own, count: 0, sum: {} };
    group.count += row.count;
    for (const one of sums) group.sum[one] = (group.sum[one] ?? 0) + (node.sums[one]?.(row) ?? 0);
    groups.set(key, group);
  }
  const found = [...groups.values()];
  for (const order of [orderBy].flat().reverse()) {
    const [, by = "", way] = /^(\w+)_(ASC|DESC)$/.exec(order) ?? [];
    if (!way || !(by === "count" || dimensions.includes(by))) throw wrong(`orderBy: unknown field ${order}`);
    const of = (/** @type {(typeof found)[number]} */ one) =>
      by === "count" ? one.count : one.dimensions[by];
    found.sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0) * (way === "ASC" ? 1 : -1));
  }
  return found
    .slice(0, limit)
    .map((group) =>
      Object.fromEntries(
        selected.map(({ name, alias }) => [
          alias,
          name === "count"
            ? group.count
            : name === "avg"
              ? { sampleInterval: 1 }
              : name === "sum"
                ? group.sum
                : group.dimensions,
        ]),
      ),
    );
}

/**
 * @param {unknown} body @param {{zones: Zone[], plan: string, rows: Row[], allowed: boolean, now?: number}} world
 * @returns {{status: number, body: string}}
 */
export function answerGraphql(body, { zones, plan, rows, allowed, now = Date.now() }) {
  try {
    const { query, variables } = /** @type {any} */ (body ?? {});
    if (typeof query !== "string") throw new Refused("query is needed", "parser");
    const answer = Object.fromEntries(
      parseQuery(query, variables ?? {}).map((viewer) => {
        if (viewer.name !== "viewer") throw new Refused(`unknown field "${viewer.name}"`, "parser");
        const scopes = (viewer.fields ?? []).map((scope) => {
          const path = ["viewer", scope.alias];
          if (scope.name !== "zones") throw new Refused(`unknown field "${scope.name}"`, "parser", path);
          const tags = [scope.args.filter?.zoneTag ?? scope.args.filter?.zoneTag_in ?? []].flat();
          if (tags.length === 0)
            throw new Refused('error parsing args for "zones": filter: zoneTag is needed', "parser", path);
          if (tags.length > 10) throw new Refused("number of zones cannot be more than 10", "quota", path);
          const answers = tags.map((tag, index) => {
            const zone = zones.find(({ id }) => id === tag);
            if (!zone || !allowed)
              throw new Refused(`zone "${tag}" is not authorized for the authenticated user`, "authz", [
                ...path,
                index,
              ]);
            return Object.fromEntries(
              (scope.fields ?? []).map((field) => [
                field.alias,
                field.name === "zoneTag"
                  ? tag
                  : answerNode(field, zone, plan, rows, now, [...path, index, field.alias]),
              ]),
            );
          });
          return [scope.alias, answers];
        });
        return [viewer.alias, Object.fromEntries(scopes)];
      }),
    );
    return { status: 200, body: JSON.stringify({ data: answer, errors: null }) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { message, path, code } = error;
    const told = { message, path, extensions: { code, timestamp: new Date(now).toISOString() } };
    return { status: 200, body: JSON.stringify({ data: null, errors: [told] }) };
  }
}
