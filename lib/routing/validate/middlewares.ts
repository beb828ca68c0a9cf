// What Traefik refuses in a middleware, apart from what it refers to: the constructors under pkg/middlewares, one by one.
import { RE2JS } from "re2js";
import { parseNetwork } from "../address";
import type { Value } from "./decode";
import { isMediaType, isStatus, isStatusRange, parseDuration, urlProblem } from "./go";
import { circuitBreakerProblem, retryProblem } from "./predicate";
import type { Params, Place, Problem } from "./problem";
import type { Item } from "./yaml";

/** Tells what stops a middleware from being made. With `effect` "none", what it is made with nevertheless. */
export type Refuse = (
  at: Place,
  code: string,
  params?: Params,
  effect?: "none" | "ignored",
  severity?: Problem["severity"],
) => void;

export const textOf = (value: Value | undefined, field: string): string =>
  value?.fields.get(field)?.text ?? "";
export const textsOf = (value: Value | undefined, field: string): readonly Item[] =>
  value?.fields.get(field)?.texts ?? [];
const isOn = (value: Value | undefined, field: string): boolean => value?.fields.get(field)?.on ?? false;
const has = (value: Value | undefined, field: string): boolean => value?.fields.has(field) ?? false;

/** Why RE2 refuses an expression; null where it does not. */
export function regexProblem(pattern: string): string | null {
  try {
    RE2JS.compile(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
  }
}

function regex(text: string, at: Place, refuse: Refuse): void {
  const reason = regexProblem(text);
  if (reason !== null) refuse(at, "badRegex", { value: text, reason });
}
function regexField(value: Value, field: string, refuse: Refuse, trim = false): void {
  const found = value.fields.get(field);
  if (found) regex(trim ? found.text.trim() : found.text, found.at, refuse);
}
function networks(items: readonly Item[], refuse: Refuse): void {
  for (const { text, at } of items)
    if (parseNetwork(text) === null) refuse(at, "badAddress", { value: text });
}
function statuses(items: readonly Item[], refuse: Refuse): void {
  for (const { text, at } of items) if (!isStatusRange(text)) refuse(at, "badStatusRange", { value: text });
}
function ipStrategy(value: Value | undefined, refuse: Refuse): void {
  if (value === undefined) return;
  const subnet = value.fields.get("ipv6Subnet");
  const depth = value.fields.get("depth")?.whole ?? 0n;
  const excluded = textsOf(value, "excludedIPs");
  if (depth <= 0n && excluded.length > 0) networks(excluded, refuse);
  else if (subnet && (subnet.whole <= 0n || subnet.whole > 128n))
    refuse(subnet.at, "badSubnet", { value: Number(subnet.whole) });
}
function sourceRange(value: Value, refuse: Refuse): void {
  const ranges = textsOf(value, "sourceRange");
  if (ranges.length === 0) refuse(value.key, "noSourceRange");
  networks(ranges, refuse);
}
function allowList(value: Value, refuse: Refuse): void {
  sourceRange(value, refuse);
  const status = value.fields.get("rejectStatusCode");
  if (status && status.whole !== 0n && !isStatus(Number(status.whole)))
    refuse(status.at, "badStatus", { value: Number(status.whole) });
  ipStrategy(value.fields.get("ipStrategy"), refuse);
}
function criterion(value: Value | undefined, refuse: Refuse): void {
  if (value === undefined) return;
  const given = [
    has(value, "ipStrategy"),
    textOf(value, "requestHeaderName") !== "",
    isOn(value, "requestHost"),
  ];
  if (given.filter(Boolean).length > 1) refuse(value.key, "oneCriterion");
  else ipStrategy(value.fields.get("ipStrategy"), refuse);
}
/** `parts`: how many, with a colon between them. Hashes are not told. */
function users(value: Value, parts: number, refuse: Refuse): void {
  const all = textsOf(value, "users");
  for (const [index, { text, at }] of all.entries())
    if (text.split(":").length !== parts) refuse(at, "badUser", { number: index + 1, parts });
}
function clientTls(value: Value | undefined, refuse: Refuse): void {
  if (value !== undefined && (textOf(value, "cert") === "") !== (textOf(value, "key") === ""))
    refuse(value.key, "certWithoutKey");
}

const booleanHeaders =
  /^(accessControlAllowCredentials|addVaryHeader|sts(IncludeSubdomains|Preload)|forceSTSHeader|frameDeny|contentTypeNosniff|browserXssFilter|isDevelopment|ssl(Redirect|TemporaryRedirect|ForceHost))$/;
/** Any of these makes a headers middleware one. */
const effective = (headers: Value): boolean =>
  [...headers.fields].some(([name, { text, texts, fields, on }]) => {
    if (name === "stsSeconds" || name === "accessControlMaxAge") return true;
    return booleanHeaders.test(name) ? on : text !== "" || texts.length > 0 || fields.size > 0;
  });

const supportedEncodings = ["zstd", "br", "gzip"];

function compress(value: Value, refuse: Refuse): void {
  const [excluded, included] = [
    textsOf(value, "excludedContentTypes"),
    textsOf(value, "includedContentTypes"),
  ];
  if (excluded.length > 0 && included.length > 0) refuse(value.key, "bothContentTypes");
  for (const { text, at } of [...excluded, ...included])
    if (!isMediaType(text)) refuse(at, "badContentType", { value: text });
  const encodings = textsOf(value, "encodings");
  for (const { text, at } of encodings)
    if (!supportedEncodings.includes(text))
      refuse(at, "badEncoding", { value: text, known: supportedEncodings.join(", ") });
  const chosen = value.fields.get("defaultEncoding");
  const allowed = encodings.length > 0 ? encodings.map(({ text }) => text) : supportedEncodings;
  if (chosen && chosen.text !== "" && !allowed.includes(chosen.text))
    refuse(chosen.at, "badEncoding", { value: chosen.text, known: allowed.join(", ") });
}

const kinds: Readonly<Record<string, (value: Value, refuse: Refuse) => void>> = {
  addPrefix: (value, refuse) => {
    if (textOf(value, "prefix") === "") refuse(value.key, "noPrefix");
  },
  basicAuth: (value, refuse) => {
    if (textsOf(value, "users").length === 0 && textOf(value, "usersFile") === "")
      refuse(value.key, "noUsers");
    users(value, 2, refuse);
  },
  digestAuth: (value, refuse) => users(value, 3, refuse),
  buffering: (value, refuse) => {
    const found = value.fields.get("retryExpression");
    const reason = found && found.text !== "" ? retryProblem(found.text) : null;
    if (found && reason !== null) refuse(found.at, "badExpression", { value: found.text, reason });
    for (const field of [
      "maxRequestBodyBytes",
      "memRequestBodyBytes",
      "maxResponseBodyBytes",
      "memResponseBodyBytes",
    ]) {
      const size = value.fields.get(field);
      if (size && size.whole < 0n) refuse(size.at, "negativeSize", { key: field });
    }
  },
  circuitBreaker: (value, refuse) => {
    const found = value.fields.get("expression");
    const reason = circuitBreakerProblem(found?.text ?? "");
    if (reason !== null)
      refuse(found?.at ?? value.key, "badExpression", { value: found?.text ?? "", reason });
  },
  compress,
  errors: (value, refuse) => {
    statuses(textsOf(value, "status"), refuse);
    for (const [status, { key }] of value.fields.get("statusRewrites")?.fields ?? [])
      if (!isStatusRange(status)) refuse(key, "badStatusRange", { value: status });
  },
  forwardAuth: (value, refuse) => {
    const address = value.fields.get("address");
    const reason = urlProblem(address?.text ?? "");
    if (!/^https?:\/\/./i.test(address?.text ?? "") || reason !== null)
      refuse(address?.at ?? value.key, "badAuthAddress", { value: address?.text ?? "" }, "none", "error");
    clientTls(value.fields.get("tls"), refuse);
    if (textOf(value, "authResponseHeadersRegex") !== "")
      regexField(value, "authResponseHeadersRegex", refuse);
  },
  headers: (value, refuse) => {
    if (!effective(value)) refuse(value.key, "noHeaders");
    for (const { text, at } of textsOf(value, "accessControlAllowOriginListRegex")) regex(text, at, refuse);
  },
  ipAllowList: allowList,
  ipWhiteList: allowList,
  inFlightReq: (value, refuse) => criterion(value.fields.get("sourceCriterion"), refuse),
  rateLimit: (value, refuse) => {
    criterion(value.fields.get("sourceCriterion"), refuse);
    const period = value.fields.get("period");
    if (period && (parseDuration(period.text) ?? 0) < 0)
      refuse(period.at, "negativePeriod", { value: period.text });
    clientTls(value.fields.get("redis")?.fields.get("tls"), refuse);
  },
  redirectRegex: (value, refuse) => regexField(value, "regex", refuse),
  redirectScheme: (value, refuse) => {
    if (textOf(value, "scheme") === "") refuse(value.key, "noScheme");
  },
  replacePathRegex: (value, refuse) => regexField(value, "regex", refuse, true),
  retry: (value, refuse) => {
    const attempts = value.fields.get("attempts");
    if ((attempts?.whole ?? 0n) <= 0n) refuse(attempts?.at ?? value.key, "noAttempts");
    if (textsOf(value, "status").length === 0 && isOn(value, "disableRetryOnNetworkError"))
      refuse(value.key, "retryOfNothing");
    statuses(textsOf(value, "status"), refuse);
  },
  stripPrefixRegex: (value, refuse) => {
    for (const { text, at } of textsOf(value, "regex")) regex(text.trim(), at, refuse);
  },
};

/** Of one kind of HTTP middleware. */
export const checkMiddleware = (kind: string, value: Value, refuse: Refuse): void =>
  kinds[kind]?.(value, refuse);

/** Of one kind of TCP middleware. */
export function checkTcpMiddleware(kind: string, value: Value, refuse: Refuse): void {
  if (kind === "ipAllowList" || kind === "ipWhiteList") sourceRange(value, refuse);
}
